//! A table's talks compiled to one machine of threads, for every role.

use std::sync::Arc;

use crate::protocol::Table;

/// The machine of a table; made once, shared by every role.
#[derive(Clone, Debug)]
pub struct Program {
    table: Arc<Table>,
}

impl Program {
    pub fn compile(table: Arc<Table>) -> Program {
        Program { table }
    }

    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }
}
