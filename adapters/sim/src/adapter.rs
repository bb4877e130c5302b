//! The bridge's connection to a [`World`]: the contract's trait, wired to it.
//!
//! Not here: the platform itself, which outlives the connection.

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::{
    Adapter, Address, ByteStream, Capabilities, ChannelName, Health, Inbox, Intake, Interaction, Limits,
    OperationKind, Outbound, RemoteFileId, RemoteUserId, Resend, SendError, Sent, Support, Toast,
};

use crate::BRIDGE;
use crate::ids;
use crate::style::Style;
use crate::view::Change;
use crate::world::{Clock, World};

/// The reference adapter. Several may be made over one world, one after the other: that is a restart.
pub struct SimAdapter {
    world: World,
    limits: Limits,
}

impl SimAdapter {
    /// An adapter with a platform of its own.
    pub fn new(channel: ChannelName, style: Style) -> Self {
        SimAdapter::over(World::new(channel, style))
    }

    /// An adapter over a platform that exists.
    pub fn over(world: World) -> Self {
        SimAdapter { world, limits: Limits::default() }
    }

    /// Declares the style's limits, and lets the platform refuse what exceeds them (by the world's clock).
    pub fn with_limits(mut self) -> Self {
        self.limits = self.world.style().limits.clone();
        self.world.state().limits_on = true;
        self
    }

    pub fn with_clock(self, clock: Clock) -> Self {
        self.world.set_clock(clock);
        self
    }

    /// The platform behind this adapter.
    pub fn world(&self) -> World {
        self.world.clone()
    }

    fn check_credentials(&self) -> Result<(), SendError> {
        if self.world.state().credentials_refused {
            return Err(SendError::Unauthorized { why: "credentials refused".to_owned() });
        }
        Ok(())
    }
}

#[async_trait]
impl Adapter for SimAdapter {
    fn channel(&self) -> &ChannelName {
        self.world.channel()
    }

    fn capabilities(&self, _at: &Address) -> &Capabilities {
        &self.world.style().capabilities
    }

    fn is_shared(&self, at: &Address) -> bool {
        !ids::is_direct(&at.room)
    }

    fn resend(&self, kind: OperationKind) -> Resend {
        (self.world.style().resend)(kind)
    }

    fn limits(&self) -> Limits {
        self.limits.clone()
    }

    /// People's acts reach `inbox` from now on, whether or not the future is polled: tests need no running task.
    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake {
        let world = self.world.clone();
        let mut cuts = world.inner.cuts.subscribe();
        let before = *cuts.borrow_and_update();
        world.state().inbox = Some(inbox);
        let connect = Box::pin(async move {
            // The sender lives in `world`, which this future owns, so waiting never fails.
            let _ = cuts.wait_for(|n| *n > before).await;
            drop(world);
            Err(SendError::Retry { after: None, why: "the connection was cut".to_owned() })
        });
        Intake { connect: Some(connect), ..Intake::default() }
    }

    async fn send(&self, out: &Outbound) -> Result<Sent, SendError> {
        self.world.carry_out(out).await
    }

    async fn find(&self, out: &Outbound) -> Result<Option<Sent>, SendError> {
        self.world.read_back(out)
    }

    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        self.check_credentials()?;
        if self.world.is_file_late(file) {
            return Err(SendError::Retry { after: None, why: "the file server is busy".to_owned() });
        }
        let (_, bytes) = self
            .world
            .file(file)
            .ok_or_else(|| SendError::Gone { why: "the file is not there".to_owned() })?;
        Ok(Box::pin(futures_util::stream::iter([Ok(bytes)])))
    }

    async fn typing(&self, at: &Address) -> Result<(), SendError> {
        self.check_credentials()?;
        if self.world.style().capabilities.typing == Support::Drop {
            return Ok(());
        }
        let (room, thread, who) = (at.room.clone(), at.thread.clone(), RemoteUserId(BRIDGE.to_owned()));
        let name = self.world.person(BRIDGE).display_name.unwrap_or_default();
        self.world.state().emit(Change::Typing { room, thread, who, name });
        Ok(())
    }

    async fn answer(&self, interaction: &Interaction, toast: Option<&Toast>) -> Result<(), SendError> {
        self.world.state().answer(&interaction.id, toast);
        Ok(())
    }

    async fn open_direct(&self, user: &RemoteUserId) -> Result<Address, SendError> {
        self.check_credentials()?;
        Ok(self.world.direct(user.as_str()))
    }

    async fn probe(&self) -> Result<Health, SendError> {
        self.check_credentials()?;
        let style = self.world.style().name;
        Ok(Health { summary: format!("simulated {style}"), warnings: Vec::new() })
    }
}
