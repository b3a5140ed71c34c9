//! The clear header of a session message: all that the relay may see.

/// Version of the header and the sealing.
pub const WIRE_VERSION: u8 = 1;

/// `[version, lane, epoch high, epoch low]`.
pub const HEADER_BYTES: usize = 4;

/// What a message carries. Each lane and direction has its own key and counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Lane {
    /// The two Noise messages.
    Handshake = 0,
    /// Everything small that is not below.
    Control = 1,
    /// Mouse and keyboard.
    Input = 2,
    /// Pointer shape and place.
    Cursor = 3,
    /// Frames, sealed with the group's picture key.
    Picture = 4,
}

/// The clear part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the body carries.
    pub lane: Lane,
    /// Which picture key; 0 on the other lanes.
    pub epoch: u16,
}

/// A message that is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Fewer bytes than a header.
    #[error("the message is shorter than its header")]
    Short,
    /// Another wire version.
    #[error("wire version {0} is not spoken here")]
    Version(u8),
    /// A lane that does not exist.
    #[error("lane {0} does not exist")]
    Lane(u8),
}

impl Header {
    /// The header's bytes, which are also authenticated with the body.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let [high, low] = self.epoch.to_be_bytes();
        [WIRE_VERSION, self.lane as u8, high, low]
    }

    /// Splits a message.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn split(message: &[u8]) -> Result<(Self, &[u8]), HeaderError> {
        let Some((&[version, lane, high, low], body)) = message.split_first_chunk() else {
            return Err(HeaderError::Short);
        };
        if version != WIRE_VERSION {
            return Err(HeaderError::Version(version));
        }
        let lane = match lane {
            0 => Lane::Handshake,
            1 => Lane::Control,
            2 => Lane::Input,
            3 => Lane::Cursor,
            4 => Lane::Picture,
            other => return Err(HeaderError::Lane(other)),
        };
        Ok((
            Self {
                lane,
                epoch: u16::from_be_bytes([high, low]),
            },
            body,
        ))
    }
}
