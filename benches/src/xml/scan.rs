//! What reading XML costs at least: all events of a file, one thread, nothing done with them.

use crate::Result;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::io::BufReader;

/// Bytes read at a time: with more of them the same scan is slower.
const BUFFER: usize = 64 << 10;

/// Counts the events of a file.
pub(crate) fn run(rest: &[String]) -> Result<()> {
    let [input] = rest else {
        return Err("expected a file".into());
    };
    let mut reader = Reader::from_reader(BufReader::with_capacity(BUFFER, std::fs::File::open(input)?));
    let (mut buffer, mut events) = (Vec::new(), 0u64);
    while !matches!(reader.read_event_into(&mut buffer)?, Event::Eof) {
        events += 1;
        buffer.clear();
    }
    println!("{events}");
    Ok(())
}
