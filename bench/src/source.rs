//! Where attackers come from: addresses of 127.128.0.0/9, away from the deckies' own.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};

/// As many as the ingest scenario's larger crowd.
const ATTACKERS: u32 = 500;
const FIRST: u32 = 0x7f80_0001;
/// A step that spreads them over the whole range.
const STEP: u32 = 16_411;

/// The address of the `n`th connection's attacker.
pub(crate) fn address(n: usize) -> Ipv4Addr {
    let attacker = u32::try_from(n).unwrap_or(0) % ATTACKERS;
    Ipv4Addr::from(FIRST + attacker * STEP)
}

/// Connects to `target` from the `n`th address.
pub(crate) async fn connect(n: usize, target: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((address(n), 0).into())?;
    let stream = socket.connect(target).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_attacker_has_an_address_of_its_own_in_the_upper_half_of_127() {
        let addresses: BTreeSet<Ipv4Addr> = (0..ATTACKERS as usize).map(address).collect();
        assert_eq!(addresses.len(), ATTACKERS as usize);
        assert!(addresses.iter().all(|one| one.octets()[0] == 127 && one.octets()[1] >= 128));
        assert_eq!(address(3), address(3 + ATTACKERS as usize));
    }
}
