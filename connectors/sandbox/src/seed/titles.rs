//! Titles of training. They hold what titles hold in the world: ampersands, angle brackets, quotation marks, accents, a dash, other
//! scripts and characters beyond the basic plane; and some are the beginning of others, so that a search by
//! substring finds more than was asked for.

const SUBJECTS: [&str; 20] = [
    "Manual Handling",
    "Fire & Rescue Awareness",
    "Café Hygiene",
    "Working at Height – Ladders",
    "First Aid 🚑 at Work",
    "GDPR <Essentials>",
    "Asbestos “Category A”",
    "Slips, Trips and Falls",
    "Display Screen Equipment",
    "R&D \"Lab\" Safety",
    "安全衛生 Basics",
    "Führungskräfte: Grundlagen",
    "COSHH",
    "COSHH for Supervisors",
    "Driver's Certificate (HGV)",
    "Lone Working",
    "Sécurité électrique",
    "Noise & Vibration",
    "Confined Spaces",
    "Data 𝕊cience for Managers",
];

/// The title with this number; different numbers give different titles.
pub(super) fn title(number: u64) -> String {
    let subject = SUBJECTS[(number % SUBJECTS.len() as u64) as usize];
    match number / SUBJECTS.len() as u64 {
        0 => subject.to_owned(),
        part => format!("{subject}, part {}", part + 1),
    }
}
