//! The language reference and the JSON Schema of table files, both made from the list of keys.

mod functions;
mod notation;
mod schema;
mod sections;
mod whole;

pub use schema::schema;
pub use whole::reference;
