//! What a user writes to name a port: `COM3`, `/dev/ttyUSB0`, `sim://mbus?baud=2400`, `tcp://host:port` and their kin.

use std::path::PathBuf;

use super::sim_options::SimOptions;
use super::websocket::Place;

/// A port, named but not yet opened.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// A serial port of this machine, in the spelling the operating system wants.
    Native(String),
    Sim {
        device: String,
        options: Box<SimOptions>,
    },
    Tcp {
        host: String,
        port: u16,
    },
    Rfc2217 {
        host: String,
        port: u16,
    },
    /// `verify`: its certificate has to be vouched for.
    Tls {
        host: String,
        port: u16,
        verify: bool,
    },
    /// `secure`: within TLS.
    WebSocket {
        place: Place,
        secure: bool,
        verify: bool,
    },
    Replay(PathBuf),
}

/// The ways to write an address, for messages and help.
pub const ADDRESS_FORMS: &str = "COM3, /dev/ttyUSB0, sim://NAME?baud=57600, tcp://host:port, rfc2217://host:port, tls://host:port, ws://host/path, \
     wss://host/path or replay://file.jsonl";

const SCHEMES: [&str; 7] = ["sim", "tcp", "rfc2217", "tls", "ws", "wss", "replay"];

impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return match scheme.to_ascii_lowercase().as_str() {
                "sim" => simulated(rest),
                "tcp" => host_and_port(text, rest).map(|(host, port)| Address::Tcp { host, port }),
                "rfc2217" => host_and_port(text, rest).map(|(host, port)| Address::Rfc2217 { host, port }),
                "tls" => {
                    let (rest, verify) = verified(rest);
                    host_and_port(text, &rest).map(|(host, port)| Address::Tls { host, port, verify })
                }
                "ws" => place(text, rest, 80).map(|place| Address::WebSocket {
                    place,
                    secure: false,
                    verify: false,
                }),
                "wss" => {
                    let (rest, verify) = verified(rest);
                    place(text, &rest, 443).map(|place| Address::WebSocket { place, secure: true, verify })
                }
                "replay" if rest.is_empty() => Err(AddressError::NoFile),
                "replay" => Ok(Address::Replay(rest.into())),
                _ => Err(AddressError::UnknownScheme {
                    scheme: scheme.into(),
                    near: nearest(scheme, &SCHEMES).map(String::from),
                }),
            };
        }
        if let Some((scheme, _)) = text.split_once(':').filter(|(scheme, _)| SCHEMES.contains(scheme)) {
            return Err(AddressError::NoSlashes { scheme: scheme.into() });
        }
        if let Some((number, behind)) = com_number(text) {
            return match (number.parse::<u16>(), behind) {
                (_, true) => Err(AddressError::BehindCom(text.into())),
                (Ok(number @ 1..=256), false) => Ok(Address::Native(format!("COM{number}"))),
                _ => Err(AddressError::ComNumber(text.into())),
            };
        }
        if cfg!(windows) && bare(text).contains(['/', '\\']) {
            return Err(AddressError::Path(text.into()));
        }
        Ok(Address::Native(bare(text).into()))
    }
}

/// A name without the device prefix of Windows.
fn bare(text: &str) -> &str {
    text.strip_prefix(r"\\.\").unwrap_or(text)
}

/// The digits behind `COM`, and whether a path stands behind them; `None` when it is no COM name. `COM3:` is its name under DOS.
fn com_number(text: &str) -> Option<(&str, bool)> {
    let (prefix, number) = bare(text).split_at_checked(3)?;
    let digits = number.trim_start_matches(|c: char| c.is_ascii_digit());
    let (number, behind) = number.split_at_checked(number.len() - digits.len())?;
    let path = behind.trim_start_matches(':').starts_with(['/', '\\']);
    let name = behind.is_empty() || (!number.is_empty() && (behind == ":" || path));
    (prefix.eq_ignore_ascii_case("com") && name).then_some((number, path))
}

fn simulated(rest: &str) -> Result<Address, AddressError> {
    let (device, query) = rest.split_once('?').unwrap_or((rest, ""));
    let device = device.trim_end_matches('/');
    if device.is_empty() {
        return Err(AddressError::NoDevice);
    }
    Ok(Address::Sim { device: device.into(), options: Box::new(SimOptions::read(query)?) })
}

/// Without `verify=no` among the options, and whether it was not there.
fn verified(rest: &str) -> (String, bool) {
    let Some((before, query)) = rest.split_once('?') else { return (rest.into(), true) };
    let kept: Vec<&str> = query.split('&').filter(|option| *option != "verify=no").collect();
    let verify = kept.len() == query.split('&').count();
    let kept = kept.join("&");
    (if kept.is_empty() { before.into() } else { format!("{before}?{kept}") }, verify)
}

/// A host, perhaps a port, perhaps a path.
fn place(text: &str, rest: &str, usual: u16) -> Result<Place, AddressError> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let bare = host.rsplit_once(':').is_none_or(|(_, port)| port.ends_with(']'));
    let full = if bare && !host.is_empty() { format!("{host}:{usual}") } else { host.into() };
    let (host, port) = host_and_port(text, &full)?;
    Ok(Place { host, port, path })
}

fn host_and_port(text: &str, rest: &str) -> Result<(String, u16), AddressError> {
    let wrong = |reason| AddressError::HostPort { text: text.into(), reason };
    let rest = rest.trim_end_matches('/');
    let (host, port) = rest.rsplit_once(':').ok_or(wrong("the port is missing"))?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if bare.is_none() && host.contains(':') {
        return Err(wrong("an IPv6 host stands in brackets"));
    }
    let host = bare.unwrap_or(host);
    if host.is_empty() {
        return Err(wrong("the host is missing"));
    }
    let port = port.parse().ok().filter(|port| *port != 0);
    Ok((host.into(), port.ok_or(wrong("a port is a number from 1 to 65535"))?))
}

/// The candidate that looks most like `word`, if one looks enough like it.
fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&word.to_ascii_lowercase(), name);
    let best = candidates.iter().copied().min_by_key(|name| distance(name))?;
    (distance(best) <= best.len().div_ceil(3).max(1)).then_some(best)
}

/// What is wrong with an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("the port has no name; expected {ADDRESS_FORMS}")]
    Empty,
    #[error("there is no `{scheme}://`{}; expected {ADDRESS_FORMS}", did_you_mean(near.as_deref(), "://"))]
    UnknownScheme { scheme: String, near: Option<String> },
    #[error("`{scheme}:` lacks its slashes; write `{scheme}://`")]
    NoSlashes { scheme: String },
    #[error("`{0}` is not a COM port; they are COM1 to COM256")]
    ComNumber(String),
    #[error("`{0}` is not a COM port; nothing stands behind its number, such as COM3")]
    BehindCom(String),
    #[error("`{0}` is a path; serial ports of Windows are COM1 to COM256")]
    Path(String),
    #[error("`sim://` lacks the name of a device, such as sim://mbus; `hsdiag protocols list` names them")]
    NoDevice,
    #[error("`replay://` lacks a file, such as replay://capture.jsonl")]
    NoFile,
    #[error("`{text}`: {reason}; expected a host and a port, such as tcp://192.168.1.5:4001")]
    HostPort { text: String, reason: &'static str },
    #[error("there is no option `{key}`{}", did_you_mean(near.as_deref(), ""))]
    UnknownOption { key: String, near: Option<String> },
    #[error("`{key}={value}`: expected {expected}")]
    WrongValue { key: String, value: String, expected: String },
}

impl AddressError {
    pub(super) fn unknown_option(key: &str, names: &[&str]) -> AddressError {
        AddressError::UnknownOption { key: key.into(), near: nearest(key, names).map(String::from) }
    }
}

fn did_you_mean(near: Option<&str>, suffix: &str) -> String {
    near.map(|near| format!("; did you mean `{near}{suffix}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn native(name: &str) -> Result<Address, AddressError> {
        Ok(Address::Native(name.into()))
    }

    #[test]
    fn com_ports_are_read_in_every_spelling() {
        assert_eq!("COM3".parse(), native("COM3"));
        assert_eq!("com12".parse(), native("COM12"));
        assert_eq!(r"\\.\COM12".parse(), native("COM12"));
        assert_eq!("COM3:".parse(), native("COM3"));
        assert_eq!("commander".parse(), native("commander"));
        assert_eq!("com3x".parse(), native("com3x"));
    }

    #[test]
    fn a_com_name_without_a_port_says_which_there_are() {
        let said = |text: &str| text.parse::<Address>().expect_err(text).to_string();
        for wrong in ["COM0", "COM257", "COM999", "COM99999", "com", r"\\.\COM0"] {
            assert_eq!(said(wrong), format!("`{wrong}` is not a COM port; they are COM1 to COM256"));
        }
        for wrong in [r"COM3\x", "com12/tty", r"\\.\COM3\..\x", "COM3:/x"] {
            assert_eq!(
                said(wrong),
                format!("`{wrong}` is not a COM port; nothing stands behind its number, such as COM3")
            );
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_path_is_a_port() {
        assert_eq!("./command".parse(), native("./command"));
        assert_eq!("/dev/ttyUSB0".parse(), native("/dev/ttyUSB0"));
    }

    #[test]
    #[cfg(windows)]
    fn a_path_is_no_port_of_windows() {
        let said = |text: &str| text.parse::<Address>().expect_err(text).to_string();
        for wrong in [r"C:\COM3", "/dev/ttyUSB0", r".\COM3"] {
            assert_eq!(
                said(wrong),
                format!("`{wrong}` is a path; serial ports of Windows are COM1 to COM256")
            );
        }
        assert_eq!(r"\\.\CNCA0".parse(), native("CNCA0"));
    }

    #[test]
    fn sockets_need_host_and_port() {
        let tcp = |host: &str, port| Ok(Address::Tcp { host: host.into(), port });
        assert_eq!("tcp://localhost:4001".parse(), tcp("localhost", 4001));
        assert_eq!("TCP://[::1]:4001/".parse(), tcp("::1", 4001));
        for wrong in ["tcp://localhost", "tcp://:1", "tcp://a:0", "tcp://a:99999", "tcp://::1:5", "tcp://"] {
            let error = wrong.parse::<Address>().expect_err(wrong).to_string();
            assert!(error.contains("tcp://192.168.1.5:4001"), "{error}");
        }
    }

    #[test]
    fn web_sockets_have_a_path_and_a_usual_port() {
        let socket = |text: &str| match text.parse::<Address>().expect(text) {
            Address::WebSocket { place, secure, verify } => (place.written(), secure, verify),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(socket("ws://gateway/serial"), ("gateway:80/serial".into(), false, false));
        assert_eq!(socket("wss://[::1]:9443?x=1"), ("[::1]:9443/?x=1".into(), true, true));
        assert_eq!(socket("wss://gateway/a?x=1&verify=no"), ("gateway:443/a?x=1".into(), true, false));
        let tls = |verify| Ok(Address::Tls { host: "meter".into(), port: 8883, verify });
        assert_eq!("tls://meter:8883".parse(), tls(true));
        assert_eq!("tls://meter:8883?verify=no".parse(), tls(false));
        for wrong in ["ws://", "ws://:80", "ws:///path", "tls://meter", "wss://host:0/"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn mistakes_name_the_right_spelling() {
        let said = |text: &str| text.parse::<Address>().expect_err(text).to_string();
        assert!(said("smi://mbus").contains("did you mean `sim://`?"), "{}", said("smi://mbus"));
        assert_eq!(said("sim:mbus"), "`sim:` lacks its slashes; write `sim://`");
        assert!(said("sim://").contains("sim://mbus"));
        assert!(said("replay://").contains("capture.jsonl"));
        assert!(said("  ").contains("COM3"));
        assert!(said("sim://mbus?baud=fast").contains("a rate, such as 57600"));
    }

    proptest! {
        #[test]
        fn no_text_brings_the_parser_down(text in "\\PC{0,40}", scheme in "(sim|tcp|rfc2217|tls|ws|wss|replay|x)://") {
            let _ = text.parse::<Address>();
            let _ = format!("{scheme}{text}").parse::<Address>();
        }
    }
}
