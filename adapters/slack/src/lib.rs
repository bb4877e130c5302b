//! Slack: requesters in direct messages and channels, technicians in the threads of a desk channel.
//!
//! Not here: any rule about conversations. This file only wires the parts together; each speaks for itself.

#[allow(dead_code, unused_imports)]
mod blocks;
#[allow(dead_code, unused_imports)]
mod markup;
#[allow(dead_code, unused_imports)]
mod split;
