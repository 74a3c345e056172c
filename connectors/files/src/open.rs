//! Opening files, compressed or not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;
use towpath_connector::{Error, Result};

/// Bytes read from disk at a time: with more of them what was read is no longer in the cache when it is looked at.
const BUFFER: usize = 64 << 10;

/// How a file is compressed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// What the name of a file says.
    pub(crate) fn by_name(path: &Path) -> Self {
        match path.extension().and_then(|suffix| suffix.to_str()) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// An error of the machine with the file's name.
pub(crate) fn io_error(path: &Path, error: std::io::Error) -> Error {
    Error::from(error).at(path.display())
}

/// How a file is compressed.
///
/// # Errors
/// It cannot be read, or its name says that it is compressed and it is not.
pub(crate) fn compression(path: &Path) -> Result<Compression> {
    let mut first = Vec::with_capacity(4);
    let file = File::open(path).map_err(|error| io_error(path, error))?;
    file.take(4).read_to_end(&mut first).map_err(|error| io_error(path, error))?;
    let found = match first.as_slice() {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
        _ => Compression::None,
    };
    let named = Compression::by_name(path);
    if named != Compression::None && found == Compression::None && !first.is_empty() {
        let message = format!("{} is named as a compressed file, but is none", path.display());
        return Err(Error::data(message).help("rename it, or compress it"));
    }
    Ok(found)
}

/// The text of a file, decompressed.
///
/// # Errors
/// It cannot be opened.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead + Send>> {
    let compression = compression(path)?;
    let file = File::open(path).map_err(|error| io_error(path, error))?;
    Ok(match compression {
        Compression::None => Box::new(BufReader::with_capacity(BUFFER, file)),
        Compression::Gzip => Box::new(BufReader::with_capacity(
            BUFFER,
            flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file)),
        )),
        Compression::Zstd => {
            let decoder = zstd::Decoder::new(file).map_err(|error| io_error(path, error))?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        }
    })
}

/// The last bytes of a file, at most `count`.
///
/// # Errors
/// It cannot be read.
pub(crate) fn tail(path: &Path, count: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(std::io::SeekFrom::Start(length.saturating_sub(count)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The line a byte of a file is in, counted from 1; for messages only.
pub(crate) fn line_of(path: &Path, offset: u64) -> Option<u64> {
    let mut reader = open(path).ok()?.take(offset);
    let (mut bytes, mut line) = (vec![0; 64 * 1024], 1);
    loop {
        let count = reader.read(&mut bytes).ok()?;
        if count == 0 {
            return Some(line);
        }
        line += memchr::memchr_iter(b'\n', &bytes[..count]).count() as u64;
    }
}
