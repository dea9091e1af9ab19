//! Problems of orders without an answer.

use accelnet_model::{Code, Problem};

/// `node` did not take an order in time; `found` is its state.
pub fn not_taken(node: &str, found: &str) -> Problem {
    Problem::new(Code::RequestNotTaken, &[node], found)
}

/// `node` took an order and has not answered it.
pub fn unanswered(node: &str, found: &str) -> Problem {
    Problem::new(Code::RequestUnanswered, &[node], found)
}
