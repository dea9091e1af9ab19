//! Every decision of accelnet, pure: no clock, no I/O.
