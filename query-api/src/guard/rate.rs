//! How often one client may ask: a bucket for each token, or for each address where there is none. What is kept of a
//! client is one instant (GCRA): when its bucket would be full again.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many clients are told apart; all further ones share one bucket until some have been quiet.
const CLIENTS_MAX: usize = 10_000;

/// How often it is looked for clients that have been quiet, at most: it takes a look at each.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// Whoever has this token, by its id.
    Token(String),
    /// Whoever is at this address; of IPv6 at this network, as one machine has as many addresses as it likes.
    Address(IpAddr),
    /// All for whom there was no room.
    Others,
}

impl Client {
    /// Who it is. None on this machine without a token: a proxy that has limits of its own, or whoever could do worse.
    pub(super) fn of(peer: Option<IpAddr>, token: Option<&str>) -> Option<Self> {
        if let Some(id) = token {
            return Some(Self::Token(id.to_owned()));
        }
        let address = peer?.to_canonical();
        if address.is_loopback() {
            return None;
        }
        Some(Self::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        }))
    }
}

/// The buckets.
pub(super) struct Rates {
    /// What one request takes, in ns; none: there is no limit.
    interval_ns: Option<u64>,
    /// What a full bucket holds, in ns.
    burst_ns: u64,
    began: Instant,
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    /// When the bucket of a client is full again, in ns since the beginning.
    full_at: HashMap<Client, u64>,
    forgot_at: u64,
}

impl Rates {
    /// So many requests a second, and so many at once. 0 a second: no limit.
    pub(super) fn new(per_s: u32, burst: u32) -> Self {
        let interval_ns = (per_s > 0).then(|| 1_000_000_000 / u64::from(per_s));
        Self {
            interval_ns,
            burst_ns: interval_ns.unwrap_or(0) * u64::from(burst.max(1)),
            began: Instant::now(),
            buckets: Mutex::default(),
        }
    }

    /// Lets a client ask, or says how long it has to wait.
    pub(super) fn take(&self, client: Client, now: Instant) -> Result<(), Duration> {
        let Some(interval_ns) = self.interval_ns else { return Ok(()) };
        let now = u64::try_from(now.duration_since(self.began).as_nanos()).unwrap_or(u64::MAX);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let client = buckets.room_for(client, now);
        let full_at = buckets.full_at.get(&client).copied().unwrap_or(0).max(now).saturating_add(interval_ns);
        match full_at.saturating_sub(now).checked_sub(self.burst_ns) {
            Some(wait_ns) if wait_ns > 0 => Err(Duration::from_nanos(wait_ns)),
            Some(_) | None => {
                buckets.full_at.insert(client, full_at);
                Ok(())
            }
        }
    }
}

impl Buckets {
    /// The client, if it is known or there is room for it.
    fn room_for(&mut self, client: Client, now: u64) -> Client {
        if self.full_at.len() < CLIENTS_MAX || self.full_at.contains_key(&client) {
            return client;
        }
        if u128::from(now.saturating_sub(self.forgot_at)) >= FORGET_EVERY.as_nanos() {
            self.forgot_at = now;
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        if self.full_at.len() < CLIENTS_MAX { client } else { Client::Others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u32) -> Client {
        Client::Address(IpAddr::V4(number.into()))
    }

    #[test]
    fn a_client_may_spend_its_burst_and_then_its_rate() {
        let rates = Rates::new(10, 3);
        let at = |ms: u64| rates.began + Duration::from_millis(ms);
        // (ms, what it must still wait)
        for (ms, wait_ms) in [
            (0, None),
            (0, None),
            (0, None),
            (0, Some(100)),
            (40, Some(60)),
            (100, None),
            (100, Some(100)),
            (10_000, None),
            (10_000, None),
            (10_000, None), // it holds no more than its burst, however long nobody asked
            (10_000, Some(100)),
        ] {
            let got = rates.take(client(1), at(ms)).err();
            assert_eq!(got, wait_ms.map(Duration::from_millis), "at {ms}");
        }
        assert_eq!(rates.take(client(2), at(10_000)), Ok(()), "another client has its own");
        let off = Rates::new(0, 1);
        assert!((0..100).all(|_| off.take(client(1), off.began).is_ok()));
    }

    #[test]
    fn however_many_clients_there_are_only_so_many_are_kept() {
        let rates = Rates::new(1, 1);
        let at = |ms: u64| rates.began + Duration::from_millis(ms);
        let max = u32::try_from(CLIENTS_MAX).expect("it is small");
        for number in 0..max {
            assert_eq!(rates.take(client(number), at(0)), Ok(()));
        }
        assert_eq!(rates.take(client(max), at(10)), Ok(()), "the first of the others");
        assert!(rates.take(client(max + 1), at(10)).is_err(), "they share one bucket");
        assert!(rates.take(client(0), at(10)).is_err(), "those that are known have theirs");
        assert_eq!(rates.take(client(max + 1), at(1_500)), Ok(()), "the quiet ones made room");
        let kept = rates.buckets.lock().expect("nobody panicked").full_at.len();
        assert!(kept <= 2, "{kept}");
    }

    #[test]
    fn a_client_is_its_token_or_its_address() {
        let address = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
        let named = |text: &str| Some(Client::Address(text.parse().expect("an address")));
        for (peer, client) in [
            (address("127.0.0.1"), None),
            (address("127.9.9.9"), None),
            (address("::1"), None),
            (address("::ffff:127.0.0.1"), None),
            (None, None),
            (address("10.0.0.7"), named("10.0.0.7")),
            (address("::ffff:10.0.0.7"), named("10.0.0.7")),
            (address("2001:db8:1:2:3:4:5:6"), named("2001:db8:1:2::")),
        ] {
            assert_eq!(Client::of(peer, None), client, "{peer:?}");
            assert_eq!(Client::of(peer, Some("a")), Some(Client::Token("a".to_owned())));
        }
    }
}
