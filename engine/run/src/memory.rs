//! How much memory the steps over many rows may take, and about how much they would.
//!
//! Both are estimates. What they decide is only whether a step is done in parts (see [`crate::partition`]); what comes out
//! is the same either way.

use std::path::{Path, PathBuf};
use towpath_spec::{Schema, Type};

/// What is taken for the memory of a machine that does not tell.
const UNTOLD: u64 = 4 << 30;

/// What a hash table or a sort needs for a row beside the row itself.
pub(crate) const ROW_OVERHEAD: u64 = 64;

/// Bytes the blocking steps of a run may take: what the pipeline says, else half of what there is.
pub(crate) fn limit(said: Option<u64>) -> u64 {
    said.unwrap_or_else(|| available(Path::new("/")) / 2)
}

/// The memory of the machine, or of the container that this process is kept in. `root` is where `/proc` and `/sys` are.
fn available(root: &Path) -> u64 {
    let machine = std::fs::read_to_string(root.join("proc/meminfo")).ok().and_then(|text| total(&text));
    let kept = groups(root).into_iter().filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok());
    kept.chain(machine).min().unwrap_or(UNTOLD)
}

/// `MemTotal:       24651308 kB`.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// The files that may hold a limit: those of this process's control group and of all groups around it. One without a limit
/// holds `max`, or in the first version of control groups a number beyond all memory.
fn groups(root: &Path) -> Vec<PathBuf> {
    let mounted = root.join("sys/fs/cgroup");
    let mut files = vec![mounted.join("memory/memory.limit_in_bytes")];
    let own = std::fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/").trim_start_matches('/');
    files.extend(Path::new(own).ancestors().map(|group| mounted.join(group).join("memory.max")));
    files
}

/// About how many bytes a row takes in memory.
pub(crate) fn width(columns: &Schema) -> u64 {
    columns.fields.iter().map(|field| width_of(&field.ty)).sum()
}

fn width_of(ty: &Type) -> u64 {
    match ty {
        Type::Null | Type::Bool => 1,
        Type::Decimal { .. } => 16,
        Type::Text => 40,
        Type::Json | Type::List(_) => 120,
        Type::Struct(fields) => fields.iter().map(|field| width_of(&field.ty)).sum(),
        _ => 8,
    }
}

/// About how many rows files of so many bytes hold: a number or a short text of each column.
pub(crate) fn rows_in(bytes: Option<u64>, columns: &Schema) -> u64 {
    bytes.unwrap_or_default() / (8 * columns.fields.len().max(1) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        root
    }

    const MACHINE: (&str, &str) = ("proc/meminfo", "MemTotal:       8388608 kB\nMemFree: 1 kB\n");

    #[test]
    fn without_a_limit_it_is_the_machine_s() {
        assert_eq!(available(root(&[MACHINE]).path()), 8 << 30);
        assert_eq!(available(root(&[MACHINE, ("sys/fs/cgroup/memory.max", "max\n")]).path()), 8 << 30);
        assert_eq!(available(root(&[]).path()), UNTOLD);
    }

    #[test]
    fn the_tightest_group_around_this_process_counts() {
        let found = root(&[
            MACHINE,
            ("proc/self/cgroup", "0::/work.slice/job.scope\n"),
            ("sys/fs/cgroup/work.slice/memory.max", "1073741824\n"),
            ("sys/fs/cgroup/work.slice/job.scope/memory.max", "max\n"),
            ("sys/fs/cgroup/other.slice/memory.max", "1024\n"),
        ]);
        assert_eq!(available(found.path()), 1 << 30);
    }

    #[test]
    fn control_groups_of_the_first_version_are_known() {
        let group = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
        assert_eq!(available(root(&[MACHINE, group]).path()), 512 << 20);
        let unlimited = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(available(root(&[MACHINE, unlimited]).path()), 8 << 30);
    }

    #[test]
    fn what_was_said_counts() {
        assert_eq!(limit(Some(5)), 5);
        assert!(limit(None) > 1 << 20);
    }
}
