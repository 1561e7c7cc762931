//! `--set NAME=VALUE`: values for a table's parameters.

use clap::Args;

use crate::frame::{Value, nearest};
use crate::machine::Env;
use crate::protocol::Table;

use super::failure::Failure;

/// Parameters of the protocol, as the user sets them.
#[derive(Args, Clone)]
pub struct Environment {
    /// Set a parameter of the protocol, such as address=5, or bytes from a file with loader=@FILE; `hsdiag protocols show NAME` lists them
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
}

impl Environment {
    pub fn new(set: &[String]) -> Environment {
        Environment { set: set.to_vec() }
    }

    /// The values for a table; a parameter that it does not have, or a value that is none, is wrong usage.
    pub fn of(&self, table: &Table) -> Result<Env, Failure> {
        let mut env = Env::new();
        for given in &self.set {
            let Some((name, text)) = given.split_once('=') else {
                return Err(wrong(
                    format!("`--set {given}` lacks a value; write --set {given}=VALUE"),
                    table,
                ));
            };
            let Some(parameter) = table.parameters.iter().find(|known| &*known.name == name) else {
                let near = nearest(name, table.parameters.iter().map(|known| &*known.name));
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                return Err(wrong(format!("{} has no parameter `{name}`{near}", table.name), table));
            };
            let given = match text.strip_prefix('@').filter(|_| parameter.value.as_int().is_none()) {
                Some(path) => Some(Value::bytes(contents(path)?)),
                None => value(text, &parameter.value),
            };
            let value = given.ok_or_else(|| {
                let kind = if parameter.value.as_int().is_some() {
                    "a number"
                } else {
                    "text, 0x and hex digits, or @ and the name of a file"
                };
                wrong(format!("`{text}` is no value for `{name}`; expected {kind}"), table)
            })?;
            env.set(name, value);
        }
        Ok(env)
    }
}

fn wrong(sentence: String, table: &Table) -> Failure {
    Failure::Usage { sentence, next: format!("`hsdiag protocols show {}` lists its parameters", table.name) }
}

/// No parameter holds more; nobody's loader for RAM is larger.
const LARGEST: u64 = 16 << 20;

/// What a file holds that is named in place of a value.
fn contents(path: &str) -> Result<Vec<u8>, Failure> {
    let failed = |reason: String| Failure::Input {
        sentence: format!("{path} cannot be read: {reason}"),
        next: "the name behind @ is that of a file whose bytes become the parameter's value".into(),
    };
    let mut file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    let mut limited = std::io::Read::take(&mut file, LARGEST + 1);
    std::io::Read::read_to_end(&mut limited, &mut bytes).map_err(|error| failed(error.to_string()))?;
    match bytes.len() as u64 > LARGEST {
        true => Err(failed(format!("it has more than {} MiB", LARGEST >> 20))),
        false => Ok(bytes),
    }
}

/// A value of the same kind as the parameter's.
fn value(text: &str, like: &Value) -> Option<Value> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match (like, hex) {
        (Value::Int(_), Some(hex)) => i128::from_str_radix(hex, 16).ok().map(Value::Int),
        (Value::Int(_), None) => text.parse().ok().map(Value::Int),
        (_, None) => Some(Value::bytes(text.as_bytes().to_vec())),
        (_, Some(hex)) => {
            let (pairs, odd) = hex.as_bytes().as_chunks::<2>();
            let digit = |digit: u8| char::from(digit).to_digit(16);
            let byte = |pair: &[u8; 2]| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8);
            let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
            bytes.filter(|_| odd.is_empty()).map(Value::bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_the_kind_that_the_parameter_is() {
        assert_eq!(value("0x1F", &Value::Int(0)), Some(Value::Int(31)));
        assert_eq!(value("-5", &Value::Int(0)), Some(Value::Int(-5)));
        assert_eq!(value("five", &Value::Int(0)), None);
        assert_eq!(value("0x0042", &Value::bytes(vec![])), Some(Value::bytes(vec![0, 0x42])));
        assert_eq!(value("0x004", &Value::bytes(vec![])), None);
        assert_eq!(value("abc", &Value::bytes(vec![])), Some(Value::bytes(b"abc".to_vec())));
    }
}
