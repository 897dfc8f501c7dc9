//! Answers: the XML of the gateway, written and read (`spec/01`, response).

mod read;
mod write;

pub use read::{
    ANSWER_BYTES_MAX, Accepted, AnswerDoc, FIELDS_MAX, FieldError, ReadError, read_answer,
};
pub use write::{Fields, accepted, rejected};
