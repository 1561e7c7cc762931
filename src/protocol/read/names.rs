//! Names in expressions: each must stand for something, and the name of a number becomes the number.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use foldhash::fast::FixedState;

use crate::frame::{At, BinaryOp, Expr, ExprKind, Function, Name, Path};

use super::super::findings::Findings;
use super::super::model::NamedValue;
use super::rewrite::parts;

/// What a piece of data, or bytes, can be asked for.
const ATTRIBUTES: [&str; 5] = ["size", "at", "index", "offset", "left"];

/// What the whole table gives names to.
#[derive(Default)]
pub(super) struct Names {
    pub(super) frames: BTreeMap<Name, FrameNames>,
    /// Exchanges with their `with`.
    pub(super) exchanges: BTreeMap<Name, (usize, Vec<Name>)>,
    pub(super) states: BTreeMap<Name, usize>,
    pub(super) phases: BTreeSet<Name>,
    pub(super) regions: BTreeSet<Name>,
    /// Parameters, what exchanges keep, and what the device knows.
    pub(super) everywhere: BTreeSet<Name>,
    /// Arguments of any exchange: a frame can take its values from the exchange it stands in.
    pub(super) arguments: BTreeSet<Name>,
    pub(super) values: BTreeMap<Name, Vec<NamedValue>>,
    /// Every field of every frame.
    pub(super) fields: HashSet<Name, FixedState>,
    pub(super) lookups: BTreeSet<Name>,
}

/// Where a word stands in the file; in a string, that costs the length of the string to find out.
pub(super) trait Placed {
    fn range(self, found: &Findings<'_>) -> Range<usize>;
}

impl Placed for Range<usize> {
    fn range(self, _: &Findings<'_>) -> Range<usize> {
        self
    }
}

/// A place in the string that is written at the range.
impl Placed for (&Range<usize>, At) {
    fn range(self, found: &Findings<'_>) -> Range<usize> {
        found.place(self.0, self.1)
    }
}

/// What can be named of a frame.
pub(super) struct FrameNames {
    /// Its place in the table.
    pub(super) index: usize,
    /// `None` where the layout could not be read.
    pub(super) fields: Option<Vec<Name>>,
    /// Names in its layout that are no fields, such as the `n` of `bytes(n)`: a talk gives them a value all the same.
    pub(super) takes: Vec<Name>,
}

impl Names {
    /// The place of `word` among what is called `what`, or the mistake that nothing is called so.
    pub(super) fn find<'n, V>(
        among: &'n BTreeMap<Name, V>,
        what: &str,
        word: &str,
        place: impl Placed,
        found: &mut Findings<'_>,
    ) -> Option<&'n V> {
        let known = among.get(word);
        if known.is_none() && !found.is_broken {
            let mistake = found.error(place.range(found), format!("no {what} is called `{word}`"));
            mistake.did_you_mean(word, among.keys().map(|name| &**name));
        }
        known
    }

    /// Takes the frames with their fields.
    pub(super) fn set_frames(&mut self, frames: BTreeMap<Name, FrameNames>) {
        for field in frames.values().flat_map(|frame| frame.fields.iter().flatten()) {
            // Most frames have the fields of others.
            if !self.fields.contains(field) {
                self.fields.insert(field.clone());
            }
        }
        self.frames = frames;
    }

    /// Whether any frame has a field of this name; a frame that could not be read may have it.
    pub(super) fn is_field(&self, name: &str) -> bool {
        self.fields.contains(name) || self.frames.values().any(|frame| frame.fields.is_none())
    }

    pub(super) fn all_fields(&self) -> impl Iterator<Item = &str> {
        Own::AllFields(&self.fields).in_order().into_iter().map(|name| &**name)
    }

    /// The number that `name` stands for in `field`.
    pub(super) fn value_of(&self, field: Option<&str>, name: &str) -> Option<i128> {
        let values = self.values.get(field?)?;
        values.iter().find(|value| &*value.name == name).map(|value| value.value)
    }

    /// Fields of which a number is called `name`, each with that number.
    fn numbers_called<'n>(&'n self, name: &'n str) -> impl Iterator<Item = (&'n Name, i128)> {
        let all =
            self.values.iter().flat_map(|(field, values)| values.iter().map(move |value| (field, value)));
        all.filter(move |(_, value)| &*value.name == name).map(|(field, value)| (field, value.value))
    }
}

/// The names of an exchange, or the fields of a frame.
#[derive(Clone, Copy)]
pub(super) enum Own<'a> {
    Names(&'a [Name]),
    /// As they stand in the layout.
    Fields(&'a [Name]),
    /// Of any frame.
    AllFields(&'a HashSet<Name, FixedState>),
}

impl<'a> Own<'a> {
    fn contains(self, name: &str) -> bool {
        match self {
            Own::Names(names) | Own::Fields(names) => names.iter().any(|known| &**known == name),
            Own::AllFields(names) => names.contains(name),
        }
    }

    pub(super) fn in_order(self) -> BTreeSet<&'a Name> {
        match self {
            Own::Names(names) | Own::Fields(names) => names.iter().collect(),
            Own::AllFields(names) => names.iter().collect(),
        }
    }
}

/// Where a name is looked for, besides what the whole table names.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) names: &'a Names,
    /// The string in which the expression stands.
    pub(super) text: &'a Range<usize>,
    /// Names of this exchange, or the fields of this frame.
    pub(super) own: Own<'a>,
    /// Whether the arguments of every exchange are known: in a frame, not in a talk.
    pub(super) takes_arguments: bool,
    /// Whether names can be checked: a frame or talk with mistakes may lack the very name.
    pub(super) is_whole: bool,
}

impl<'a> Scope<'a> {
    /// An expression in this string that may name the fields of any frame.
    pub(super) fn of_any_frame(names: &'a Names, text: &'a Range<usize>) -> Scope<'a> {
        Scope { names, text, own: Own::AllFields(&names.fields), takes_arguments: true, is_whole: true }
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.own.contains(name)
            || self.names.everywhere.contains(name)
            || self.takes_arguments && self.names.arguments.contains(name)
    }

    /// Checks every name of `expr`, a value of `field`, and puts numbers in place of their names.
    pub(super) fn resolve(&self, expr: &mut Expr, field: Option<&str>, found: &mut Findings<'_>) {
        let at = expr.at;
        match &mut expr.kind {
            ExprKind::Path(path) => {
                if let Some(number) = self.resolve_path(path, field, at, found) {
                    expr.kind = ExprKind::Number(number);
                }
            }
            ExprKind::Call { function: Function::Lookup, args } => {
                let mut args = args.iter_mut();
                args.next().into_iter().for_each(|table| self.check_lookup(table, found));
                args.for_each(|arg| self.resolve(arg, None, found));
            }
            ExprKind::Binary(op, left, right) if is_comparison(*op) => {
                let (of_left, of_right) = (field_of(left), field_of(right));
                self.resolve(left, of_right.as_deref(), found);
                self.resolve(right, of_left.as_deref(), found);
            }
            ExprKind::If { condition, then, otherwise } => {
                self.resolve(condition, None, found);
                self.resolve(then, field, found);
                self.resolve(otherwise, field, found);
            }
            _ => parts(expr).into_iter().for_each(|part| self.resolve(part, field, found)),
        }
    }

    fn check_lookup(&self, table: &Expr, found: &mut Findings<'_>) {
        let name = match &table.kind {
            ExprKind::Path(Path { first, rest: None }) => first,
            _ => return,
        };
        if !self.names.lookups.contains(name) {
            let range = found.place(self.text, table.at);
            let mistake = found.error(range, format!("no `[lookup.{name}]` is in this table"));
            mistake.did_you_mean(name, self.names.lookups.iter().map(|name| &**name));
        }
    }

    /// The number that stands for the path, if it is the name of one; else whether it is known is told.
    fn resolve_path(
        &self,
        path: &Path,
        field: Option<&str>,
        at: At,
        found: &mut Findings<'_>,
    ) -> Option<i128> {
        if let Some(rest) = &path.rest {
            self.check_dotted(&path.first, rest, at, found);
            return None;
        }
        let name = &path.first;
        if self.knows(name) {
            return None;
        }
        if let Some(number) = self.names.value_of(field, name) {
            return Some(number);
        }
        let mut numbers = self.names.numbers_called(name);
        if let Some((one, number)) = numbers.next() {
            if let Some((other, _)) = numbers.find(|(_, other)| *other != number) {
                let says = format!(
                    "`{name}` stands for one number in `values.{one}` and for another in `values.{other}`"
                );
                let range = found.place(self.text, at);
                found.error(range, says).help("write the number");
                return None;
            }
            return Some(number);
        }
        if self.is_whole && !found.is_broken {
            self.unknown(name, field, at, found);
        }
        None
    }

    fn unknown(&self, name: &str, field: Option<&str>, at: At, found: &mut Findings<'_>) {
        let arguments = self.names.arguments.iter().filter(|_| self.takes_arguments);
        let own = self.own.in_order().into_iter().chain(&self.names.everywhere).chain(arguments);
        let values = field.and_then(|field| self.names.values.get(field)).into_iter().flatten();
        let known = own.chain(values.map(|value| &value.name)).map(|name| &**name);
        let range = found.place(self.text, at);
        found.error(range, format!("nothing here is called `{name}`")).did_you_mean(name, known);
    }

    /// `frame.field`, `piece.at`, `asked.field`, `last.field`.
    fn check_dotted(&self, first: &str, rest: &str, at: At, found: &mut Findings<'_>) {
        if !self.is_whole || found.is_broken {
            return;
        }
        if matches!(first, "asked" | "last") {
            if !self.names.is_field(rest) {
                let range = found.place(self.text, at);
                let mistake = found.error(range, format!("no frame has a field `{rest}`"));
                mistake.did_you_mean(rest, self.names.all_fields());
            }
            return;
        }
        let frame = self.names.frames.get(first);
        let is_known = self.knows(first);
        let is_attribute = is_known && ATTRIBUTES.contains(&rest);
        let is_field = frame.is_some_and(|frame| match &frame.fields {
            Some(fields) => fields.iter().any(|field| &**field == rest),
            None => true,
        });
        if is_attribute || is_field {
            return;
        }
        let range = found.place(self.text, at);
        match frame {
            Some(frame) => {
                let mistake = found.error(range, format!("the frame `{first}` has no field `{rest}`"));
                mistake.did_you_mean(rest, frame.fields.iter().flatten().map(|name| &**name));
            }
            None if is_known => {
                let mistake = found.error(range, format!("`{first}` cannot be asked for `{rest}`"));
                mistake.help(format!("it can be asked for {}", ATTRIBUTES.join(", ")));
                mistake.did_you_mean(rest, ATTRIBUTES);
            }
            None => {
                let known = self
                    .own
                    .in_order()
                    .into_iter()
                    .chain(&self.names.everywhere)
                    .chain(self.names.frames.keys());
                let mistake = found.error(range, format!("nothing here is called `{first}`"));
                mistake.did_you_mean(first, known.map(|name| &**name));
            }
        }
    }
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{AtLeast, AtMost, Equal, Greater, In, Less, NotEqual};
    matches!(op, Equal | NotEqual | Less | AtMost | Greater | AtLeast | In)
}

/// The field that an operand of a comparison holds.
fn field_of(expr: &Expr) -> Option<Name> {
    match &expr.kind {
        ExprKind::Path(path) => Some(path.rest.as_ref().unwrap_or(&path.first).clone()),
        _ => None,
    }
}
