mod files;
mod history;
mod memory;
mod on_disk;
