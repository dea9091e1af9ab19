//! A backend whose length never changes behind the back of its content.

use std::io;

use redb::StorageBackend;

/// Syncs each change of the length at once.
///
/// The database syncs what it wrote, but trusts that a change of the file's length is never lost
/// before, or kept without, a write that came after it: its next open would panic. The length
/// changes rarely.
#[derive(Debug)]
pub(super) struct SyncedLength<B>(pub(super) B);

impl<B: StorageBackend> StorageBackend for SyncedLength<B> {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)?;
        self.0.sync_data()
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}
