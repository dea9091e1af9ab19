//! A disk that remembers every write, and can lose power or room.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::{Database, StorageBackend};

use crate::embedded::fault::Fault;
use crate::embedded::medium::{self, Medium};

/// What the database did to the disk.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
    Sync,
}

/// What a power cut does to an event that no sync followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fate {
    Lost,
    Kept,
    /// Of a write, only that many thousandths of its bytes are kept.
    Torn(usize),
}

#[derive(Debug, Default)]
struct State {
    /// What lay on the disk before the first event.
    base: Vec<u8>,
    /// What the database sees.
    content: Vec<u8>,
    events: Vec<Event>,
    /// How many more writes there is room for.
    writes_left: Option<usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// With a store that was made whole.
    pub(super) fn with_store() -> Self {
        let disk = Self::default();
        if medium::make(disk.clone()).is_err() {
            panic!("no store could be made");
        }
        Self::with(disk.lock().content.clone())
    }

    pub(super) fn with(content: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State {
            base: content.clone(),
            content,
            events: Vec::new(),
            writes_left: None,
        })))
    }

    /// What the database sees.
    pub(super) fn content(&self) -> Vec<u8> {
        self.lock().content.clone()
    }

    /// How many events there were.
    pub(super) fn count(&self) -> usize {
        self.lock().events.len()
    }

    /// Leaves room for so many writes, or for any number.
    pub(super) fn set_writes_left(&self, writes: Option<usize>) {
        self.lock().writes_left = writes;
    }

    /// The indexes of the events before `at` that no sync before `at` followed.
    pub(super) fn unsynced(&self, at: usize) -> Vec<usize> {
        let state = self.lock();
        let before = &state.events[..at];
        let sync = before
            .iter()
            .rposition(|event| matches!(event, Event::Sync));
        (sync.map_or(0, |sync| sync + 1)..at).collect()
    }

    /// What lies on the disk after a power cut before event `at`; `fates` are those of the events
    /// that were not synced.
    pub(super) fn cut(&self, at: usize, fates: &[Fate]) -> Vec<u8> {
        let unsynced = self.unsynced(at);
        assert_eq!(unsynced.len(), fates.len());
        let state = self.lock();
        let mut content = state.base.clone();
        for (index, event) in state.events[..at].iter().enumerate() {
            let fate = unsynced.iter().position(|one| *one == index);
            play(&mut content, event, fate.map_or(Fate::Kept, |at| fates[at]));
        }
        content
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

fn play(content: &mut Vec<u8>, event: &Event, fate: Fate) {
    match (event, fate) {
        (_, Fate::Lost) | (Event::Sync, _) | (Event::Length(_), Fate::Torn(_)) => {}
        (Event::Length(length), Fate::Kept) => content.resize(*length, 0),
        (Event::Write { offset, data }, fate) => {
            let kept = match fate {
                Fate::Torn(thousandths) => data.len() * thousandths / 1000,
                _ => data.len(),
            };
            if content.len() < offset + kept {
                content.resize(offset + kept, 0);
            }
            content[*offset..offset + kept].copy_from_slice(&data[..kept]);
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().content.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        match self.lock().content.get(offset..offset + out.len()) {
            Some(content) => out.copy_from_slice(content),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.happen(Event::Length(usize::try_from(length).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.happen(Event::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.happen(Event::Write {
            offset: usize::try_from(offset).unwrap(),
            data: data.to_vec(),
        })
    }
}

impl Disk {
    fn happen(&self, event: Event) -> io::Result<()> {
        let mut state = self.lock();
        if let Some(writes_left) = &mut state.writes_left
            && !matches!(event, Event::Sync)
        {
            *writes_left = writes_left
                .checked_sub(1)
                .ok_or(io::ErrorKind::StorageFull)?;
        }
        play(&mut state.content, &event, Fate::Kept);
        state.events.push(event);
        Ok(())
    }
}

impl Medium for Disk {
    fn open(&self) -> Result<Database, Fault> {
        medium::open(self.clone())
    }

    fn path(&self) -> &Path {
        Path::new("the disk")
    }
}
