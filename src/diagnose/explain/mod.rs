//! What a byte, a word, a number or a line of another tool's output can mean: the tables searched backwards, and the physics asked.

mod answer;
mod character;
mod index;
mod mentions;
mod message;
mod question;
mod search;
mod sentence;
mod turned;
mod uses;
mod whole;

pub use answer::{
    Bits, Character, Entry, Expected, Explanation, FieldRead, From, Kind, MessageFound, Part, Pulses,
    Relation, Relative, Section, Single, Utf8, Way,
};
pub use index::{index, index_is_in_step};
pub use question::{Asked, Question, Reading};
pub use whole::{explain, usual};
