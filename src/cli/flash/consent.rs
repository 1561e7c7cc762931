//! Nothing is erased or written before somebody has said yes.

use std::io::{self, BufRead, IsTerminal, Write};

use super::super::failure::Failure;

/// Asks on the terminal; where there is none, says what to type.
pub fn ask(question: &str, yes: bool, again: &str) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::Usage {
            sentence: "nobody is there to say yes to this".into(),
            next: format!("`{again} --yes` does it without asking"),
        });
    }
    let mut to = io::stderr().lock();
    let asked = write!(to, "{question} [y/N] ").and_then(|()| to.flush());
    let mut answer = String::new();
    let heard = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    heard.map_err(Failure::Output)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
