//! The tree of a talk, as it was written: a regular expression over frames. A run is a talk without arrows.

use crate::frame::{At, Expr, Name};
use crate::line::Direction;

use super::time::Time;

/// Steps in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Talk {
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub at: At,
    pub kind: StepKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// `> frame(binds)`, `< frame`.
    Message(Message),
    /// Another exchange in place of its name.
    Call {
        exchange: Name,
        arguments: Vec<Argument>,
    },
    /// `[condition]`.
    Guard(Expr),
    /// `( a | b )`.
    Choice(Vec<Talk>),
    /// `( a ) 1..8 times`, and a plain group with 1..1.
    Times {
        body: Talk,
        least: u32,
        most: u32,
    },
    Each(Box<Each>),
    /// `{ what the device does inside }`.
    Inside(Vec<Effect>),
    /// `-> state`.
    Goto(Name),
    /// `@phase`: the line's settings change here; `@line` returns to the first ones.
    Phase(Name),
    /// Back to the start of the innermost group, forgetting what that round bound.
    Again,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// `>` is `Tx` (host to device), `<` is `Rx`.
    pub direction: Direction,
    pub frame: Name,
    pub frame_at: At,
    pub binds: Vec<Bind>,
    /// The reply has to begin within this time after the frame before it.
    pub within: Option<Time>,
    /// The sender waits so long before it speaks.
    pub after: Option<Time>,
    /// The sender repeats it so often until it is answered.
    pub every: Option<Time>,
}

/// `field = expr`; a bare `name` is `name = name`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bind {
    pub at: At,
    pub name: Name,
    pub value: Expr,
}

/// An argument of a call, by name or by place.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    pub at: At,
    pub name: Option<Name>,
    pub value: Expr,
}

/// `( body ) each piece of data[total] by size …`.
#[derive(Clone, Debug, PartialEq)]
pub struct Each {
    pub body: Talk,
    pub piece: Name,
    pub data: Name,
    /// Tells those who do not hold the data how long they will be.
    pub total: Option<Expr>,
    pub by: Expr,
    pub pad: Option<u8>,
    pub align: Option<u64>,
    /// Where the next piece begins, when the other side sets the pace.
    pub next: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    pub at: At,
    pub kind: EffectKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EffectKind {
    /// `name = expr`: bound when needed.
    Let { name: Name, value: Expr },
    /// `write(address, data)`.
    Write { address: Expr, data: Expr },
    /// `erase(address, n)`.
    Erase { address: Expr, n: Expr },
    /// `erase_all`, or `erase_all("region")`.
    EraseAll { region: Option<Name> },
    /// `erase_page(pages, "region")`: pages of the region by number, the region's page or sector each.
    ErasePages { pages: Expr, region: Name },
}
