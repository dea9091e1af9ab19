//! Several nodes with real kernels on one wire.

mod members;
mod migration;
mod walk;
