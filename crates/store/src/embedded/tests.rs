mod disk;
mod files;
mod full_disk;
mod history;
mod memory;
mod on_disk;
mod power_cuts;
mod steps;
