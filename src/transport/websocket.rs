//! RFC 6455: a byte stream within a web socket, as gateways on the network and in browsers offer it. Messages are joined to one stream.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;

use tungstenite::client::client;
use tungstenite::{Message, WebSocket};

use crate::line::Span;

use super::port::PortError;
use super::tcp::{Stream, StreamPort, stream};

/// How long the other end may take to agree to a web socket.
const PATIENCE: Span = Span::from_secs(5);

/// Where a web socket is: the host, the port, and the path with what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub host: String,
    pub port: u16,
    pub path: String,
}

impl Place {
    /// As it is written behind a scheme.
    pub fn written(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{host}:{}{}", self.port, self.path)
    }
}

/// Opens `ws://`.
pub fn connect(place: &Place) -> Result<StreamPort<Socket<TcpStream>>, PortError> {
    let name = format!("ws://{}", place.written());
    let stream = stream(&name, &place.host, place.port)?;
    within(name, "ws", place, stream)
}

/// Agrees on a web socket over a stream that is open.
pub(super) fn within<S: Read + Write + Stream>(
    name: String,
    scheme: &str,
    place: &Place,
    mut stream: S,
) -> Result<StreamPort<Socket<S>>, PortError> {
    let failed = |error: Error| PortError::io(&name, "agree on a web socket", error);
    stream.wait_at_most(PATIENCE).map_err(failed)?;
    let address = format!("{scheme}://{}", place.written());
    let agreed = client(address, stream).map_err(|error| failed(refused(error)))?;
    Ok(StreamPort::new(name, Socket(agreed.0)))
}

/// Why there is no web socket, in the words of who said so.
fn refused<S: Read + Write>(
    error: tungstenite::HandshakeError<tungstenite::handshake::client::ClientHandshake<S>>,
) -> Error {
    match error {
        tungstenite::HandshakeError::Failure(error) => to_io(error),
        tungstenite::HandshakeError::Interrupted(_) => {
            Error::new(ErrorKind::TimedOut, "the other end does not answer as a web server does")
        }
    }
}

/// A web socket as a stream.
pub struct Socket<S>(WebSocket<S>);

impl<S: Read + Write + Stream> Stream for Socket<S> {
    fn wait_at_most(&mut self, span: Span) -> std::io::Result<()> {
        self.0.get_mut().wait_at_most(span)
    }

    fn receive(&mut self, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
        match self.0.read() {
            Ok(Message::Binary(data)) => Ok(taken(bytes, &data)),
            Ok(Message::Text(text)) => Ok(taken(bytes, text.as_bytes())),
            Ok(Message::Close(_)) => Ok(0),
            // A ping is answered by the library; neither carries data.
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Err(ErrorKind::WouldBlock.into()),
            Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => Ok(0),
            Err(error) => Err(to_io(error)),
        }
        // An empty message is no end.
        .and_then(|count| {
            if count == 0 && self.0.can_read() { Err(ErrorKind::WouldBlock.into()) } else { Ok(count) }
        })
    }

    fn send(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(Message::binary(bytes.to_vec())).map_err(to_io)?;
        Ok(bytes.len())
    }
}

fn taken(bytes: &mut Vec<u8>, data: &[u8]) -> usize {
    bytes.extend_from_slice(data);
    data.len()
}

fn to_io(error: tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::Io(error) => error,
        tungstenite::Error::Http(answer) => {
            Error::other(format!("the web server answers {} and offers no web socket here", answer.status()))
        }
        other => Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::line::LineEvent;
    use crate::transport::Port;

    /// A server on the loopback that does this with the first who comes; and where it is.
    fn server(does: impl FnOnce(TcpStream) + Send + 'static) -> (Place, thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let serves = thread::spawn(move || does(listener.accept().expect("somebody comes").0));
        (Place { host: "127.0.0.1".into(), port, path: "/line".into() }, serves)
    }

    fn heard(port: &mut impl Port, count: usize) -> Vec<u8> {
        let (mut seen, until) = (Vec::new(), port.now() + Span::from_secs(5));
        while seen.len() < count && port.now() < until {
            port.read(until, &mut seen).expect("the socket is open");
        }
        seen.iter().filter_map(LineEvent::value).collect()
    }

    #[test]
    fn the_messages_of_a_web_socket_are_one_stream_of_bytes() {
        let (place, serves) = server(|stream| {
            let mut socket = tungstenite::accept(stream).expect("a web socket");
            let asked = socket.read().expect("a message").into_data();
            assert_eq!(&asked[..], [0x10, 0x40, 0x01, 0x41, 0x16]);
            for message in [Message::binary(vec![0xE5]), Message::text("ok"), Message::Ping(vec![1].into())] {
                socket.send(message).expect("it is heard");
            }
            while socket.read().is_ok() {}
        });
        let mut port = connect(&place).expect("the server agrees");
        port.write(&[0x10, 0x40, 0x01, 0x41, 0x16]).expect("it is taken");
        assert_eq!(heard(&mut port, 3), [0xE5, b'o', b'k']);
        drop(port);
        serves.join().expect("the server is content");
    }

    #[test]
    fn a_web_server_without_a_web_socket_is_named_with_its_answer() {
        let (place, serves) = server(|mut stream| {
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked).expect("a request");
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").expect("it is heard");
        });
        let error = connect(&place).err().expect("no web socket").to_string();
        assert!(error.contains("404") && error.contains("no web socket here"), "{error}");
        serves.join().expect("the server is content");
    }

    #[test]
    fn a_closed_web_socket_is_a_vanished_port() {
        let (place, serves) = server(|stream| {
            let mut socket = tungstenite::accept(stream).expect("a web socket");
            socket.close(None).expect("it is heard");
            while socket.read().is_ok() {}
        });
        let mut port = connect(&place).expect("the server agrees");
        let until = port.now() + Span::from_secs(5);
        let ended = (0..10).find_map(|_| port.read(until, &mut Vec::new()).err());
        assert!(matches!(ended, Some(PortError::Vanished { .. })), "{ended:?}");
        drop(port);
        serves.join().expect("the server is content");
    }
}
