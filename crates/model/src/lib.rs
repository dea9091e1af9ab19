//! The vocabulary of accelnet: plain types and the catalogue of codes.
