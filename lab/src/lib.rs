//! The real-kernel test bench of accelnet: nodes with SR-IOV under QEMU.
