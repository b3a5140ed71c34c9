//! How often one address may ask. A token bucket for each address and kind of
//! request, in bounded memory.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use gc_model::time::Moment;

use super::buckets::{Buckets, Rate};

/// What is limited apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// Any call of the API and any WebSocket. A whole office may share one address.
    Any,
    /// Tries of the claim secret.
    Claim,
    /// Passwords. Failures are slowed down further by the lock-out.
    Login,
    /// Renewals of tokens.
    Refresh,
    /// Enrolments: a roll-out to a site comes from one address.
    Enrol,
    /// Starts of sessions.
    Start,
    /// New support codes.
    SupportCode,
    /// Customers who ask for help without a code.
    Request,
    /// Downloads of the program for customers.
    Download,
    /// Lines of the chat.
    Chat,
    /// Reads of the chat: a page asks every few seconds.
    ChatRead,
    /// Notices that are tried out.
    NoticeTest,
    /// Consent answers that a guest reports.
    Consent,
}

impl Limited {
    /// For metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Claim => "claim",
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::Enrol => "enrol",
            Self::Start => "start",
            Self::SupportCode => "support_code",
            Self::Request => "support_request",
            Self::Download => "download",
            Self::Chat => "chat",
            Self::ChatRead => "chat_read",
            Self::NoticeTest => "notice_test",
            Self::Consent => "consent",
        }
    }

    /// How many at once, and how long until one more is allowed.
    const fn rate(self) -> Rate {
        let (burst, refill) = match self {
            Self::Any => (1_000, Duration::from_millis(5)),
            Self::Claim => (10, Duration::from_secs(20)),
            Self::Login => (30, Duration::from_secs(2)),
            Self::Refresh => (120, Duration::from_millis(500)),
            Self::Enrol => (300, Duration::from_millis(200)),
            Self::Start | Self::Chat | Self::ChatRead => (60, Duration::from_millis(500)),
            Self::SupportCode => (60, Duration::from_secs(2)),
            Self::NoticeTest => (5, Duration::from_secs(30)),
            Self::Request => (3, Duration::from_mins(5)),
            Self::Consent => (60, Duration::from_secs(10)),
            Self::Download => (20, Duration::from_secs(3)),
        };
        Rate { burst, refill }
    }
}

/// The buckets of every address.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    buckets: Mutex<Buckets<(Network, Limited)>>,
}

/// An address, or the /64 of an IPv6 address: what one customer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Network(u128);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(u128::from(address.to_bits())),
            IpAddr::V6(address) => Self(address.to_bits() & !u128::from(u64::MAX)),
        }
    }
}

impl Limits {
    /// Takes one from the bucket.
    ///
    /// # Errors
    /// It is empty: how long until it holds one again.
    pub(crate) fn take(
        &self,
        now: Moment,
        limited: Limited,
        address: IpAddr,
    ) -> Result<(), Duration> {
        let key = (Network::from(address), limited);
        let mut buckets = self.buckets.lock().expect("no code here panics");
        if let Some(wait) = buckets.wait(now, &key, limited.rate()) {
            return Err(wait);
        }
        buckets.take(now, &key, limited.rate());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn at(seconds: u64) -> Moment {
        Moment::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn allows_a_burst_and_then_one_for_each_interval() {
        let limits = Limits::default();
        for _ in 0..10 {
            assert_eq!(limits.take(at(100), Limited::Claim, ONE), Ok(()));
        }

        assert_eq!(
            limits.take(at(100), Limited::Claim, ONE),
            Err(Duration::from_secs(20))
        );
        assert_eq!(
            limits.take(at(119), Limited::Claim, ONE),
            Err(Duration::from_secs(1))
        );
        assert_eq!(limits.take(at(120), Limited::Claim, ONE), Ok(()));
        assert_eq!(
            limits.take(at(120), Limited::Claim, ONE),
            Err(Duration::from_secs(20))
        );
    }

    #[test]
    fn counts_kinds_and_addresses_apart_but_not_the_addresses_of_one_network() {
        let limits = Limits::default();
        let six = |text: &str| text.parse::<IpAddr>().expect("an address");
        for _ in 0..10 {
            limits
                .take(at(0), Limited::Claim, six("2001:db8::1"))
                .expect("in the burst");
        }

        assert!(
            limits
                .take(at(0), Limited::Claim, six("2001:db8::ffff"))
                .is_err()
        );
        assert!(
            limits
                .take(at(0), Limited::Claim, six("2001:db8:0:1::1"))
                .is_ok()
        );
        assert!(
            limits
                .take(at(0), Limited::Login, six("2001:db8::1"))
                .is_ok()
        );
    }

    #[test]
    fn remembers_a_bounded_number_of_addresses() {
        let limits = Limits::default();
        for n in 0..100_000 {
            let address = std::net::Ipv4Addr::from_bits(n).into();
            limits
                .take(at(0), Limited::Any, address)
                .expect("a new address");
        }

        let buckets = limits.buckets.lock().expect("not poisoned");
        assert!(buckets.len() <= 2 * super::super::buckets::MAX_KEYS);
    }
}
