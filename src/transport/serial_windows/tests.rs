use super::*;

fn told(flags: u32, parity: Parity, bytes: &[u8]) -> Vec<Told> {
    let mut told = Vec::new();
    flagged(bytes, fault(flags, parity), &mut told);
    told
}

#[test]
fn a_port_that_is_not_there_is_named() {
    let error = SerialPort::open("COM251").err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("there is no port COM251"));
}

#[test]
fn a_port_that_somebody_else_has_open_is_in_use() {
    let said = |code| not_opened("COM3", io::Error::from_raw_os_error(code)).to_string();
    assert_eq!(said(ERROR_ACCESS_DENIED), "COM3 is in use");
    assert_eq!(said(ERROR_SHARING_VIOLATION), "COM3 is in use");
    assert_eq!(said(ERROR_FILE_NOT_FOUND), "there is no port COM3");
    assert_eq!(said(ERROR_PATH_NOT_FOUND), "there is no port COM3");
    assert_eq!(said(ERROR_INVALID_PARAMETER), "COM3 is not a serial port");
    let unplugged = not_opened("COM3", io::Error::from_raw_os_error(31));
    assert!(matches!(unplugged, PortError::Io { what: "open", .. }), "{unplugged}");
}

#[test]
fn a_device_that_is_no_serial_port_is_told_from_one() {
    let error = SerialPort::open("NUL").err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("NUL is not a serial port"));
}

#[test]
fn flags_are_told_of_the_whole_batch_that_they_came_with() {
    let framing = |byte| Told::Byte(byte, Some(Fault::Framing));
    let good = |byte| Told::Byte(byte, None);
    assert_eq!(told(CE_FRAME, Parity::None, &[1, 2]), [framing(1), framing(2)]);
    assert_eq!(told(CE_FRAME | CE_BREAK, Parity::None, &[1, 0]), [good(1), Told::Break]);
    assert_eq!(told(CE_BREAK, Parity::None, &[1]), [Told::Break, good(1)]);
    assert_eq!(told(CE_RXOVER, Parity::None, &[1, 2]), [Told::Lost, good(1), good(2)]);
    assert_eq!(told(CE_RXPARITY, Parity::None, &[1]), [good(1)]);
    assert_eq!(told(CE_RXPARITY, Parity::Even, &[1]), [Told::Byte(1, Some(Fault::Parity))]);
    assert_eq!(told(0, Parity::Even, &[0]), [good(0)]);
}

#[test]
fn every_port_is_opened_by_its_device_name() {
    assert_eq!(device_path("COM3"), r"\\.\COM3");
    assert_eq!(device_path("COM12"), r"\\.\COM12");
}

#[test]
#[ignore = "needs a port whose other end takes no bytes; its name is in HSDIAG_DEAF_PORT"]
fn a_write_that_nobody_takes_ends_and_says_how_far_it_came() {
    let name = std::env::var("HSDIAG_DEAF_PORT").expect("the name of the port");
    let mut port = SerialPort::open(&name).expect("it opens");
    port.set(Settings::new(Baud::nearest(921_600.0), Format::N8)).expect("it takes the rate");
    let (begin, bytes) = (port.now(), vec![0x55; 300_000]);
    let error = port.write(&bytes).expect_err("nobody takes them");
    let took = port.now() - begin;
    assert!(matches!(error, PortError::Timeout { asked: 300_000, done: 1.., .. }), "{error}");
    assert!(took < Span::from_secs(10), "it took {took:?}");
    drop(port); // does not wait either
}
