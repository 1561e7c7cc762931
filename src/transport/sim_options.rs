//! What can be asked of a simulated device and of the wire to it: the query behind `sim://NAME?` and the options of `simulate`.

use crate::line::{Baud, Format, LineErrors, Settings, Span};

use super::address::AddressError;

/// Who talks on a simulated line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Traffic {
    /// The device alone: it speaks by itself or answers.
    #[default]
    Device,
    /// A simulated host polls the device, and the port overhears both.
    Bus,
}

/// How a simulated device and the wire to it are set up. What is `None` is left to the device.
#[derive(Clone, Debug, PartialEq)]
pub struct SimOptions {
    pub baud: Option<Baud>,
    pub format: Option<Format>,
    pub inverted: bool,
    pub msb_first: bool,
    /// Noise on the wire: pulses a second.
    pub noise: f64,
    /// A fault the device is to have; its name is the device's business.
    pub fault: Option<String>,
    pub seed: u64,
    pub traffic: Traffic,
    /// A bootloader starts its application instead of itself.
    pub app: bool,
    /// How the board is wired that the device sits on: the name of a reset sequence.
    pub wired: Option<String>,
    /// How exactly the simulated adapter reports line errors.
    pub errors: LineErrors,
    /// The simulated adapter refuses rates above.
    pub fastest: Baud,
    /// The device's clock is faster by this part.
    pub skew: f64,
    /// Standard deviation of each edge in bit times.
    pub jitter: f64,
    /// Edges to mark come later by this part of a bit time.
    pub late: f64,
    /// The device changes its rate to this one, so long after the start.
    pub then: Option<(Baud, Span)>,
    /// The simulated driver knows customary rates only, and sets this one for any other without a word.
    pub snaps: Option<Baud>,
    /// The device has a USB port of its own: bytes go through whatever rate is set.
    pub native: bool,
}

impl Default for SimOptions {
    fn default() -> SimOptions {
        SimOptions {
            baud: None,
            format: None,
            inverted: false,
            msb_first: false,
            noise: 0.0,
            fault: None,
            seed: 1,
            traffic: Traffic::Device,
            app: false,
            wired: None,
            errors: LineErrors::PerByte,
            fastest: Baud::nearest(3e6),
            skew: 0.0,
            jitter: 0.0,
            late: 0.0,
            then: None,
            snaps: None,
            native: false,
        }
    }
}

/// Every option: name, what it takes.
pub const SIM_OPTIONS: [(&str, &str); 18] = [
    ("baud", "a rate, such as 57600"),
    ("format", "a format, such as 8E1"),
    ("inverted", "1 or 0"),
    ("msb-first", "1 or 0"),
    ("noise", "glitches a second, such as 0.5"),
    ("fault", "the name of a fault"),
    ("seed", "a whole number"),
    ("traffic", "device or bus"),
    ("app", "1 or 0"),
    ("wired", "the name of a reset sequence, such as 1-swapped"),
    ("errors", "per-byte, packet, counter or none"),
    ("fastest", "a rate, such as 921600"),
    ("skew", "a part of the rate from -0.2 to 0.2, such as 0.015"),
    ("jitter", "a part of a bit time from 0 to 0.5"),
    ("late", "a part of a bit time from -0.5 to 0.5"),
    ("then", "a rate and when the device goes to it, such as 115200@1.5s"),
    ("snaps", "a rate, such as 38400"),
    ("native", "1 or 0"),
];

impl SimOptions {
    /// Reads `baud=57600&format=8E1`; an empty query leaves everything as it is.
    pub fn read(query: &str) -> Result<SimOptions, AddressError> {
        let mut options = SimOptions::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some((_, expected)) = SIM_OPTIONS.iter().find(|(name, _)| *name == key) else {
                let names: Vec<&str> = SIM_OPTIONS.iter().map(|(name, _)| *name).collect();
                return Err(AddressError::unknown_option(key, &names));
            };
            let taken = options.take(key, value);
            taken.ok_or_else(|| AddressError::WrongValue {
                key: key.into(),
                value: value.into(),
                expected: (*expected).into(),
            })?;
        }
        Ok(options)
    }

    /// Bytes go through whatever rate is set: by a USB port of its own, or by nothing but a wire.
    pub fn has_no_rate(&self) -> bool {
        self.native || self.fault.as_deref() == Some("loopback")
    }

    /// The settings of the device, where its own are `own`.
    pub fn settings(&self, own: Settings) -> Settings {
        Settings {
            baud: self.baud.unwrap_or(own.baud),
            format: self.format.unwrap_or(own.format),
            inverted: self.inverted != own.inverted,
            msb_first: self.msb_first != own.msb_first,
        }
    }

    /// How long a glitch lasts on average.
    pub fn glitch_length(&self) -> Span {
        Span::from_micros(20)
    }

    fn take(&mut self, key: &str, value: &str) -> Option<()> {
        let part = |low: f64, high: f64| value.parse().ok().filter(|v: &f64| (low..=high).contains(v));
        match key {
            "baud" => self.baud = Some(value.parse().ok()?),
            "format" => self.format = Some(value.parse().ok()?),
            "inverted" => self.inverted = yes_or_no(value)?,
            "msb-first" => self.msb_first = yes_or_no(value)?,
            "noise" => self.noise = part(0.0, 1e6)?,
            "fault" => self.fault = Some(value.into()).filter(|name: &String| !name.is_empty()),
            "seed" => self.seed = value.parse().ok()?,
            "traffic" => {
                self.traffic = match value {
                    "device" => Traffic::Device,
                    "bus" => Traffic::Bus,
                    _ => return None,
                }
            }
            "app" => self.app = yes_or_no(value)?,
            "wired" => self.wired = Some(value.into()).filter(|name: &String| !name.is_empty()),
            "errors" => {
                let all = [LineErrors::PerByte, LineErrors::Packet, LineErrors::Counter, LineErrors::Never];
                self.errors = all.into_iter().find(|errors| errors.word() == value)?;
            }
            "fastest" => self.fastest = value.parse().ok()?,
            "then" => {
                let (baud, after) = value.split_once('@')?;
                self.then = Some((baud.parse().ok()?, humantime::parse_duration(after).ok()?));
            }
            "snaps" => self.snaps = Some(value.parse().ok()?),
            "native" => self.native = yes_or_no(value)?,
            "skew" => self.skew = part(-0.2, 0.2)?,
            "jitter" => self.jitter = part(0.0, 0.5)?,
            "late" => self.late = part(-0.5, 0.5)?,
            _ => return None,
        }
        Some(())
    }
}

fn yes_or_no(value: &str) -> Option<bool> {
    match value {
        "1" | "yes" | "true" => Some(true),
        "0" | "no" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_query_is_read() {
        let read =
            SimOptions::read("baud=57600&format=8E1&errors=packet&traffic=bus&app=1&seed=7&skew=-0.01");
        let options = read.unwrap();
        assert_eq!(options.baud, Some(Baud::nearest(57_600.0)));
        assert_eq!(options.format, Some(Format::E8));
        assert_eq!(options.errors, LineErrors::Packet);
        assert_eq!((options.traffic, options.app, options.seed), (Traffic::Bus, true, 7));
        assert_eq!(options.skew, -0.01);
    }

    #[test]
    fn every_option_refuses_nonsense_and_says_what_it_takes() {
        for (name, expected) in SIM_OPTIONS {
            if name == "fault" || name == "wired" {
                continue; // the device knows its faults
            }
            let error = SimOptions::read(&format!("{name}=purple")).expect_err(name).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_misspelt_option_is_named_with_the_right_spelling() {
        assert_eq!(
            SimOptions::read("boud=9600").unwrap_err().to_string(),
            "there is no option `boud`; did you mean `baud`?"
        );
    }
}
