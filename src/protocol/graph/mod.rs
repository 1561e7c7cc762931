//! A table as a picture: where the conversation rests, and what leads from one state to the next.

mod layout;
mod mermaid;
mod model;
mod states;
mod steps;
mod svg;
#[cfg(test)]
mod tests;

pub use model::{Edge, Graph, Line, Node, NodeKind};
