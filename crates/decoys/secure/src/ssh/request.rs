//! Reading what a client wants on and of channels (RFC 4254).

use decoys_kit::ssh::{ChannelOpen, ChannelRequest};

use super::wire::{Malformed, Reader};

/// Most terminal modes read; there are 57.
const MAX_MODES: usize = 256;

/// `SSH_MSG_CHANNEL_OPEN` without its number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opening {
    /// `None` for types that there are none of here.
    pub(super) open: Option<ChannelOpen>,
    pub(super) peer: u32,
    pub(super) window: u32,
    pub(super) max: u32,
}

impl Opening {
    pub(super) fn read(message: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        let kind = reader.string()?;
        let (peer, window, max) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let open = match kind {
            b"session" => {
                reader.end()?;
                Some(ChannelOpen::Session)
            }
            b"direct-tcpip" => {
                let (host, port) = (reader.string()?.to_vec(), reader.u32()?);
                let (_originator, _port) = (reader.string()?, reader.u32()?);
                reader.end()?;
                Some(ChannelOpen::DirectTcpip { host, port })
            }
            _ => None,
        };
        Ok(Self { open, peer, window, max })
    }
}

/// Reads the specific part of a channel request; `None` for those OpenSSH's server has not.
pub(super) fn read(kind: &[u8], rest: &[u8]) -> Result<Option<ChannelRequest>, Malformed> {
    let mut reader = Reader::new(rest);
    let request = match kind {
        b"pty-req" => {
            let term = reader.string()?.to_vec();
            let size = (reader.u32()?, reader.u32()?);
            let (_width, _height) = (reader.u32()?, reader.u32()?);
            ChannelRequest::Pty { term, size, modes: modes(reader.string()?) }
        }
        b"env" => {
            let (name, value) = (reader.string()?.to_vec(), reader.string()?.to_vec());
            ChannelRequest::Env { name, value }
        }
        b"shell" => ChannelRequest::Shell,
        b"exec" => ChannelRequest::Exec(reader.string()?.to_vec()),
        b"subsystem" => ChannelRequest::Subsystem(reader.string()?.to_vec()),
        b"window-change" => {
            let size = (reader.u32()?, reader.u32()?);
            let (_width, _height) = (reader.u32()?, reader.u32()?);
            ChannelRequest::WindowChange(size.0, size.1)
        }
        b"signal" => ChannelRequest::Signal(reader.string()?.to_vec()),
        b"auth-agent-req@openssh.com" => ChannelRequest::AgentForward,
        b"x11-req" => {
            reader.bool()?;
            let (_protocol, _cookie, _screen) = (reader.string()?, reader.string()?, reader.u32()?);
            ChannelRequest::X11Forward
        }
        _ => return Ok(None),
    };
    reader.end()?;
    Ok(Some(request))
}

/// Opcodes with their arguments up to the end (RFC 4254 §8); what is cut off is left out.
fn modes(bytes: &[u8]) -> Vec<(u8, u32)> {
    let mut reader = Reader::new(bytes);
    let mut modes = Vec::new();
    while let Ok(opcode @ 1..=159) = reader.byte()
        && let Ok(value) = reader.u32()
        && modes.len() < MAX_MODES
    {
        modes.push((opcode, value));
    }
    modes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::wire::Put as _;

    #[test]
    fn terminal_modes_end_at_the_first_that_has_no_argument() {
        assert_eq!(modes(&[53, 0, 0, 0, 1, 0, 9]), [(53, 1)]);
        assert_eq!(modes(&[53, 0, 0, 0, 1, 160, 0, 0, 0, 0]), [(53, 1)]);
        assert_eq!(modes(&[53, 0, 0, 0, 1, 54, 0]), [(53, 1)]);
        assert_eq!(modes(&[1, 0, 0, 0, 0].repeat(1000)).len(), MAX_MODES);
    }

    #[test]
    fn requests_need_all_their_parts_and_nothing_more() {
        let mut pty = Vec::new();
        pty.put_string(b"xterm\xff");
        [80, 24, 0, 0].iter().for_each(|size| pty.put_u32(*size));
        pty.put_string(&[1, 0, 0, 0, 3, 0]);
        let expected = ChannelRequest::Pty {
            term: b"xterm\xff".to_vec(),
            size: (80, 24),
            modes: vec![(1, 3)],
        };
        assert_eq!(read(b"pty-req", &pty), Ok(Some(expected)));
        for end in 0..pty.len() {
            assert_eq!(read(b"pty-req", &pty[..end]), Err(Malformed));
        }
        assert_eq!(read(b"shell", b"x"), Err(Malformed));
        assert_eq!(read(b"simple@putty.projects.tartarus.org", b"?"), Ok(None));
    }
}
