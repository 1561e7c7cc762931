//! Speaking: a thread's frame to bytes.

use crate::frame::{EncodeError, EvalError, Name, Nothing, Outcome, Value, Values};
use crate::line::Direction;
use crate::protocol::{Answer, FrameId};

use super::effects::Failure;
use super::program::Step;
use super::thread::Thread;
use super::view::{Ground, View};

/// A frame that is said, with everything in it.
pub(super) struct Speech {
    pub bytes: Vec<u8>,
    pub values: Values,
}

/// Encodes the frame of a thread that speaks.
pub(super) fn encode(ground: Ground<'_>, thread: &Thread, step: &Step) -> Result<Speech, Failure> {
    speech(ground, thread, step).map_err(|error| {
        tracing::debug!("the device cannot answer: {error}");
        match error {
            EncodeError::Eval { error: EvalError::Outside { .. }, .. } => Failure::Outside,
            _ => Failure::Damaged,
        }
    })
}

/// The same, with the reason why it cannot be encoded.
pub(super) fn speech(ground: Ground<'_>, thread: &Thread, step: &Step) -> Result<Speech, EncodeError> {
    let frame = ground.program.frame(step.frame);
    let eval = |error| EncodeError::Eval { frame: frame.name().clone(), error };
    let mut given: Vec<(Name, Value)> = Vec::new();
    for bind in &step.binds {
        let view = View::new(ground, &thread.place).for_field(&bind.field).of(step.direction);
        let value = match bind.captures {
            Some(name) => view.find(name).map_err(eval)?.map(|(value, _)| value),
            None => Some(bind.value.eval(&view).map_err(eval)?),
        };
        given.extend(value.map(|value| (bind.field.clone(), value)));
    }
    say(ground, thread, step.frame, step.direction, &given)
}

/// Encodes a refusal.
pub(super) fn encode_answer(
    ground: Ground<'_>,
    thread: &Thread,
    answer: &Answer,
) -> Result<Vec<u8>, EncodeError> {
    let frame = ground.program.frame(answer.frame).name();
    let mut given = Vec::new();
    for bind in &answer.binds {
        let view = View::new(ground, &thread.place).for_field(&bind.name).of(Direction::Rx);
        let eval = |error| EncodeError::Eval { frame: frame.clone(), error };
        given.push((bind.name.clone(), bind.value.eval(&view).map_err(eval)?));
    }
    Ok(say(ground, thread, answer.frame, Direction::Rx, &given)?.bytes)
}

fn say(
    ground: Ground<'_>,
    thread: &Thread,
    frame: FrameId,
    direction: Direction,
    given: &[(Name, Value)],
) -> Result<Speech, EncodeError> {
    let frame = ground.program.frame(frame);
    let view = View::new(ground, &thread.place).of(direction);
    let bytes = frame.encode(given, &view)?;
    // Read back, so that computed fields are known as the other side will know them.
    let known = Given { given, view: &view };
    let values = match frame.parse(&bytes, true, &known) {
        Outcome::Complete(reading) => reading.values,
        Outcome::More(_) | Outcome::Wrong(_) => match frame.parse(&bytes, true, &Nothing) {
            Outcome::Complete(reading) => reading.values,
            Outcome::More(_) | Outcome::Wrong(_) => given.to_vec().into(),
        },
    };
    Ok(Speech { bytes, values })
}

/// What a frame was given, over what its thread knows.
struct Given<'a> {
    given: &'a [(Name, Value)],
    view: &'a View<'a>,
}

impl crate::frame::Scope for Given<'_> {
    fn look(&self, path: &crate::frame::Path) -> Option<Value> {
        let given = self.given.iter().find(|(name, _)| path.rest.is_none() && *name == path.first);
        given.map(|(_, value)| value.clone()).or_else(|| self.view.look(path))
    }

    fn memory(&self, address: u64, n: usize) -> Result<bytes::Bytes, EvalError> {
        self.view.memory(address, n)
    }

    fn lookup(&self, table: &Name, x: i128) -> Option<i128> {
        self.view.lookup(table, x)
    }
}
