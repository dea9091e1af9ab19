//! A backend that detects damaged blocks.
//!
//! The database believes what it reads: of a page that makes no sense it takes a length, and asks for
//! terabytes of memory, which ends the process. So each block carries its checksum, and a block whose
//! checksum does not fit is never shown to the database.
//!
//! The first block, which has the places of the rest, is the only one that is written over while it
//! counts. It lies there twice, written in turns: what a power cut tears is the older copy's successor,
//! and the older copy still stands.
//!
//! | bytes | what |
//! |---|---|
//! | 8 + 4096 + 8 | first block, one copy: how often it was written, content, checksum |
//! | 8 + 4096 + 8 | first block, the other copy |
//! | 4096 + 8 each | the other blocks: content, checksum |
//!
//! Numbers are little-endian; a checksum is XXH3 (64 bits) seeded with the block's number.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;
use twox_hash::XxHash3_64;

/// Of the database's own page, which is what it reads and writes at once.
const BLOCK: usize = 4096;
/// Of a checksum, and of the count before the first block.
const WORD: usize = 8;
const CELL: usize = BLOCK + WORD;
const COPY: usize = WORD + CELL;
/// Where the second block lies.
const SECOND: u64 = 2 * COPY as u64;

/// What is in the file behind each block's checksum.
#[derive(Debug)]
pub(super) struct Checksummed<B> {
    backend: B,
    first: Mutex<First>,
}

/// The first block, as it was read or written last.
#[derive(Debug)]
struct First {
    /// How often it was written. Even: it is in the first copy.
    written: u64,
    content: [u8; BLOCK],
    /// Whether it was written, and nothing was synced since.
    unsynced: bool,
}

impl<B: StorageBackend> Checksummed<B> {
    /// Over a file that is empty, or was written so.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`]: no copy of the first block is whole. Or it cannot be read.
    pub(super) fn over(backend: B) -> io::Result<Self> {
        let first = if backend.len()? == 0 {
            First {
                written: 0,
                content: [0; BLOCK],
                unsynced: false,
            }
        } else {
            newer(copy(&backend, 0)?, copy(&backend, 1)?).ok_or_else(|| damaged(0))?
        };
        let first = Mutex::new(first);
        Ok(Self { backend, first })
    }

    fn first(&self) -> MutexGuard<'_, First> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes over the copy that does not count, once the one that counts is surely there.
    fn write_first(&self, offset: usize, data: &[u8]) -> io::Result<()> {
        let mut first = self.first();
        if first.unsynced {
            self.backend.sync_data()?;
            first.unsynced = false;
        }
        let mut content = first.content;
        content[offset..offset + data.len()].copy_from_slice(data);
        let written = first.written + 1;
        let mut copy = Vec::with_capacity(COPY);
        copy.extend(written.to_le_bytes());
        copy.extend(content);
        copy.extend(checksum(0, &copy).to_le_bytes());
        self.backend.write(written % 2 * COPY as u64, &copy)?;
        *first = First {
            written,
            content,
            unsynced: true,
        };
        Ok(())
    }
}

impl<B: StorageBackend> StorageBackend for Checksummed<B> {
    fn len(&self) -> io::Result<u64> {
        match self.backend.len()? {
            0 => Ok(0),
            length => match length.checked_sub(SECOND) {
                Some(rest) if rest.is_multiple_of(CELL as u64) => {
                    Ok((1 + rest / CELL as u64) * BLOCK as u64)
                }
                _ => Err(invalid(format!(
                    "its length is {length}, and was never that"
                ))),
            },
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let (first, rest) = out.split_at_mut(in_first(offset, out.len()));
        if !first.is_empty() {
            let from = usize::try_from(offset).map_err(io::Error::other)?;
            first.copy_from_slice(&self.first().content[from..from + first.len()]);
        }
        if rest.is_empty() {
            return Ok(());
        }
        let block = whole_blocks(offset + first.len() as u64, rest.len())?;
        let mut cells = vec![0; rest.len() / BLOCK * CELL];
        self.backend.read(place(block), &mut cells)?;
        let cells = cells.chunks_exact(CELL);
        for ((block, cell), out) in (block..).zip(cells).zip(rest.chunks_exact_mut(BLOCK)) {
            out.copy_from_slice(unsealed(block, cell).ok_or_else(|| damaged(block))?);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let blocks = whole_blocks(length, 0)?;
        self.backend.set_len(place(blocks))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.backend.sync_data()?;
        self.first().unsynced = false;
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let (first, rest) = data.split_at(in_first(offset, data.len()));
        if !first.is_empty() {
            let from = usize::try_from(offset).map_err(io::Error::other)?;
            self.write_first(from, first)?;
        }
        if rest.is_empty() {
            return Ok(());
        }
        let block = whole_blocks(offset + first.len() as u64, rest.len())?;
        let mut cells = Vec::with_capacity(rest.len() / BLOCK * CELL);
        for (block, content) in (block..).zip(rest.chunks_exact(BLOCK)) {
            cells.extend(content);
            cells.extend(checksum(block, content).to_le_bytes());
        }
        self.backend.write(place(block), &cells)
    }

    fn close(&self) -> io::Result<()> {
        self.backend.close()
    }
}

/// How many of so many bytes from `offset` on are in the first block.
fn in_first(offset: u64, length: usize) -> usize {
    let left = (BLOCK as u64).saturating_sub(offset);
    usize::try_from(left).map_or(length, |left| left.min(length))
}

/// The block at `offset`; none but the first is read or written in part.
fn whole_blocks(offset: u64, length: usize) -> io::Result<u64> {
    if offset.is_multiple_of(BLOCK as u64) && length.is_multiple_of(BLOCK) {
        return Ok(offset / BLOCK as u64);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{length} bytes at {offset} are no whole blocks of {BLOCK}"),
    ))
}

/// Where a block that is not the first lies; of number 0, where the file ends that has none.
fn place(block: u64) -> u64 {
    match block.checked_sub(1) {
        Some(after) => SECOND + after * CELL as u64,
        None => 0,
    }
}

/// One copy of the first block, where it is whole.
fn copy<B: StorageBackend>(backend: &B, which: u64) -> io::Result<Option<First>> {
    let mut bytes = [0; COPY];
    match backend.read(which * COPY as u64, &mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    Ok(first_of(&bytes))
}

fn first_of(bytes: &[u8]) -> Option<First> {
    let (written, content) = unsealed(0, bytes)?.split_first_chunk()?;
    Some(First {
        written: u64::from_le_bytes(*written),
        content: content.try_into().ok()?,
        unsynced: false,
    })
}

/// Whether one copy of the first block in a file is damaged: what was written last may be lost. The copy
/// that was never written does not count.
pub(super) fn lost_a_copy(file: &std::fs::File) -> bool {
    use std::os::unix::fs::FileExt;
    let read = |which: u64| {
        let mut bytes = [0; COPY];
        let read = file.read_exact_at(&mut bytes, which * COPY as u64);
        read.ok().and_then(|()| first_of(&bytes))
    };
    match (read(0), read(1)) {
        (Some(_), None) => true,
        (None, Some(other)) => other.written > 1,
        _ => false,
    }
}

fn newer(one: Option<First>, other: Option<First>) -> Option<First> {
    [one, other]
        .into_iter()
        .flatten()
        .max_by_key(|first| first.written)
}

/// What lies before a checksum that fits.
fn unsealed(block: u64, cell: &[u8]) -> Option<&[u8]> {
    let (content, seal) = cell.split_last_chunk()?;
    (u64::from_le_bytes(*seal) == checksum(block, content)).then_some(content)
}

fn checksum(block: u64, content: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(block, content)
}

fn damaged(block: u64) -> io::Error {
    invalid(format!(
        "block {block} does not have the checksum that it was written with"
    ))
}

fn invalid(found: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, found)
}
