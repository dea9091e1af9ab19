mod address;
mod cut_off;
mod keys;
mod suite;
mod tls;
