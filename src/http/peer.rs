//! Who is at the other end: the socket's address, or what a trusted proxy says (S34).
//!
//! Not here: what an address may do.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};

use crate::config::Network;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// Headers that only proxies write.
const OF_PROXIES: [&str; 9] = [
    FORWARDED_FOR,
    "forwarded",
    "x-real-ip",
    "via",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-server",
    "cf-connecting-ip",
    "true-client-ip",
];
/// Hops that are looked at; nobody has more proxies.
const HOPS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub address: IpAddr,
    /// On this machine, and not by way of a proxy on it.
    pub local: bool,
}

/// The proxies whose word counts.
#[derive(Clone, Debug, Default)]
pub struct Proxies(pub Arc<[Network]>);

impl Proxies {
    pub fn peer(&self, extensions: &Extensions, headers: &HeaderMap) -> Peer {
        // Without a socket (a test, a unix socket) nobody is assumed to be near.
        let socket = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(socket)| socket.ip().to_canonical());
        if !self.trusts(socket) {
            let proxied = OF_PROXIES.iter().any(|name| headers.contains_key(*name));
            return Peer { address: socket, local: socket.is_loopback() && !proxied };
        }
        let address = self.client(socket, headers);
        // Of trusted proxies one header is read. Where they write only others, whose request it is nobody knows.
        let mut others = OF_PROXIES.iter().filter(|name| **name != FORWARDED_FOR);
        let proxied = others.any(|name| headers.contains_key(*name)) && !headers.contains_key(FORWARDED_FOR);
        let local = address.is_loopback() && !proxied && !headers.contains_key("forwarded");
        Peer { address, local }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The first address from the right that no trusted proxy has: what stands left of it anybody may have written.
    fn client(&self, socket: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        let mut last = socket;
        for hop in hops.take(HOPS) {
            let Some(address) = address(hop.trim()) else { break };
            last = address;
            if !self.trusts(address) {
                break;
            }
        }
        last
    }
}

/// Some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(trusted: &[&str], socket: &str, forwarded: &[&str]) -> (String, bool) {
        let networks: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(socket.parse().unwrap(), 9)));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = Proxies(networks.into()).peer(&extensions, &headers);
        (peer.address.to_string(), peer.local)
    }

    /// A trusted proxy on this machine that says only by which scheme it was asked: nobody is local for that.
    #[test]
    fn a_proxy_that_names_nobody_makes_nobody_local() {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
        let proxies = Proxies(vec!["127.0.0.0/8".parse().unwrap()].into());
        for name in OF_PROXIES {
            let mut headers = HeaderMap::new();
            headers.insert(name, "203.0.113.9".parse().unwrap());
            assert!(!proxies.peer(&extensions, &headers).local, "{name}");
        }
        assert!(proxies.peer(&extensions, &HeaderMap::new()).local);
    }

    fn is(address: &str, local: bool) -> (String, bool) {
        (address.to_owned(), local)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(peer(&[], "203.0.113.9", &["127.0.0.1"]), is("203.0.113.9", false));
        assert_eq!(peer(&[], "127.0.0.1", &[]), is("127.0.0.1", true));
        assert_eq!(peer(&[], "::ffff:127.0.0.1", &[]), is("127.0.0.1", true));
        // A proxy on this machine that nobody configured makes nobody local.
        assert_eq!(peer(&[], "127.0.0.1", &["127.0.0.1"]), is("127.0.0.1", false));
        assert_eq!(peer(&["10.0.0.0/8"], "10.0.0.1", &["198.51.100.7"]), is("198.51.100.7", false));
        assert_eq!(
            peer(&["10.0.0.0/8"], "10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.9"]),
            is("198.51.100.7", false)
        );
        assert_eq!(
            peer(&["10.0.0.0/8"], "10.0.0.1", &["1.1.1.1", "198.51.100.7:4711"]),
            is("198.51.100.7", false)
        );
        assert_eq!(peer(&["10.0.0.0/8"], "10.0.0.1", &["127.0.0.1, nonsense"]), is("10.0.0.1", false));
        assert_eq!(peer(&["127.0.0.0/8"], "127.0.0.1", &["198.51.100.7"]), is("198.51.100.7", false));
        assert_eq!(peer(&["127.0.0.0/8"], "127.0.0.1", &[]), is("127.0.0.1", true));
        assert_eq!(peer(&["::1"], "::1", &["[2001:db8::1]:80"]), is("2001:db8::1", false));
    }
}
