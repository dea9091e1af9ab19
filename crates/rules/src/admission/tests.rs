mod figures;
mod oracle;
mod properties;
mod refusals;
mod small;
