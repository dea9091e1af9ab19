mod address;
mod cut_off;
mod suite;
mod tls;
