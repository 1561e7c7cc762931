//! A byte stream within TLS. The ciphers come from `ring`, which a C compiler builds: that is why this is a feature of the build.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned,
};

use crate::line::Span;

use super::port::PortError;
use super::tcp::{Stream, StreamPort, read_some, stream};
use super::websocket::{Place, Socket, within};

/// How long the other end may take to agree on TLS.
const PATIENCE: Span = Span::from_secs(5);
/// Bytes of the other end that are kept, to say what it speaks when that is not TLS.
const KEPT: usize = 64;

/// Opens `tls://`. Without `verify` any certificate will do, as of a device that has signed its own.
pub fn connect(host: &str, port: u16, verify: bool) -> Result<StreamPort<Tls>, PortError> {
    let name = format!("tls://{host}:{port}");
    let tls = agree(&name, host, port, verify)?;
    Ok(StreamPort::new(name, tls))
}

/// Opens `wss://`.
pub fn websocket(place: &Place, verify: bool) -> Result<StreamPort<Socket<Tls>>, PortError> {
    let name = format!("wss://{}", place.written());
    let tls = agree(&name, &place.host, place.port, verify)?;
    within(name, "wss", place, tls)
}

fn agree(name: &str, host: &str, port: u16, verify: bool) -> Result<Tls, PortError> {
    let failed = |error: Error| PortError::io(name, "agree on TLS", error);
    let other = |error: rustls::Error| failed(Error::other(error));
    let server = ServerName::try_from(host.to_owned()).map_err(|error| failed(Error::other(error)))?;
    let config = config(verify).map_err(other)?;
    let connection = ClientConnection::new(Arc::new(config), server).map_err(other)?;
    let stream = stream(name, host, port)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut tls = Tls(StreamOwned::new(connection, Overheard { stream, first: Vec::new() }));
    while tls.0.conn.is_handshaking() {
        let StreamOwned { conn, sock } = &mut tls.0;
        match conn.complete_io(sock) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_no_tls(&error) => {
                let heard = std::mem::take(&mut sock.first);
                return Err(PortError::OtherSpeech { port: name.into(), expected: "TLS", heard });
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(tls)
}

/// What came is no record of TLS at all.
fn is_no_tls(error: &Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidMessage(_)))
}

fn config(verify: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    if verify {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    }
    let anybody = Arc::new(Anybody(provider));
    Ok(builder.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth())
}

/// Takes every certificate; what is signed with it is checked all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A connection whose first bytes are kept.
pub struct Overheard {
    stream: TcpStream,
    first: Vec<u8>,
}

impl Read for Overheard {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let count = self.stream.read(bytes)?;
        let wanted = KEPT.saturating_sub(self.first.len());
        self.first.extend(bytes.iter().take(count.min(wanted)));
        Ok(count)
    }
}

impl Write for Overheard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

/// An encrypted connection.
pub struct Tls(StreamOwned<ClientConnection, Overheard>);

impl Stream for Tls {
    fn wait_at_most(&mut self, span: Span) -> std::io::Result<()> {
        self.0.sock.stream.set_read_timeout(Some(span))
    }

    fn receive(&mut self, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
        match read_some(&mut self.0, bytes) {
            // Closed without a goodbye, as many do.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
            other => other,
        }
    }

    fn send(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.0.write(bytes)?;
        self.0.flush()?;
        Ok(count)
    }
}

impl Read for Tls {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ServerConfig, ServerConnection};

    use super::*;
    use crate::line::LineEvent;
    use crate::transport::Port;

    /// A certificate that a device has signed itself, and its key.
    const CERTIFICATE: &[u8] = include_bytes!("tls/device.crt");
    const KEY: &[u8] = include_bytes!("tls/device.key");

    fn server(does: impl FnOnce(TcpStream) + Send + 'static) -> (u16, thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        (port, thread::spawn(move || does(listener.accept().expect("somebody comes").0)))
    }

    fn device(stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("they belong together");
        StreamOwned::new(ServerConnection::new(Arc::new(config)).expect("a server"), stream)
    }

    #[test]
    fn bytes_pass_both_ways_within_tls() {
        let (port, serves) = server(|stream| {
            let mut tls = device(stream);
            let mut asked = [0; 3];
            tls.read_exact(&mut asked).expect("a question");
            assert_eq!(&asked, b"ask");
            tls.write_all(b"\x68answer").expect("it is heard");
            tls.conn.send_close_notify();
            let _ = tls.flush();
        });
        let mut port =
            connect("localhost", port, false).or_else(|_| connect("127.0.0.1", port, false)).expect("agreed");
        port.write(b"ask").expect("it is taken");
        let (mut seen, until) = (Vec::new(), port.now() + Span::from_secs(5));
        while seen.len() < 7 && port.now() < until {
            port.read(until, &mut seen).expect("the connection is open");
        }
        assert_eq!(seen.iter().filter_map(LineEvent::value).collect::<Vec<_>>(), b"\x68answer");
        serves.join().expect("the server is content");
    }

    #[test]
    fn a_certificate_that_nobody_vouches_for_is_not_trusted_unless_asked() {
        let (port, serves) = server(|stream| {
            let mut tls = device(stream);
            let _ = tls.read(&mut [0; 16]);
        });
        let error = connect("127.0.0.1", port, true).err().expect("no trust").to_string();
        assert!(error.contains("agree on TLS") && error.contains("certificate"), "{error}");
        serves.join().expect("the server is content");
    }

    #[test]
    fn plain_text_where_tls_was_expected_is_shown_as_what_it_is() {
        let (port, serves) = server(|mut stream| {
            let _ = stream.read(&mut [0; 512]);
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("it is heard");
        });
        let error = connect("127.0.0.1", port, false).err().expect("no TLS");
        assert!(
            matches!(&error, PortError::OtherSpeech { heard, .. } if heard.starts_with(b"HTTP/1.1 400")),
            "{error}"
        );
        serves.join().expect("the server is content");
    }
}
