//! Who holds which lock of a file. What cannot be had is refused at once; nobody waits.

/// The lock of a whole file, as the rollback journal uses it, in rising order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Level {
    #[default]
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

/// What one handle holds.
#[derive(Clone, Copy, Debug)]
struct Holder {
    handle: u64,
    level: Level,
    /// Slots of the WAL's shared memory, one bit each.
    shared: u32,
    exclusive: u32,
    has_memory: bool,
}

/// All locks of one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locks(Vec<Holder>);

/// Someone else holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Held;

impl Locks {
    pub(crate) fn open(&mut self, handle: u64) {
        self.0.push(Holder {
            handle,
            level: Level::None,
            shared: 0,
            exclusive: 0,
            has_memory: false,
        });
    }

    /// Lets go of everything that a handle held.
    pub(crate) fn close(&mut self, handle: u64) {
        self.0.retain(|holder| holder.handle != handle);
    }

    pub(crate) fn lock(&mut self, handle: u64, wanted: Level) -> Result<(), Held> {
        let others = self.others(handle).map(|holder| holder.level).max();
        let others = others.unwrap_or_default();
        let Some(own) = self.own(handle) else {
            return Err(Held);
        };
        if own.level >= wanted {
            return Ok(());
        }
        match wanted {
            Level::None => {}
            Level::Shared if others >= Level::Pending => return Err(Held),
            Level::Reserved | Level::Pending | Level::Exclusive if others >= Level::Reserved => {
                return Err(Held);
            }
            // Readers that are inside may leave; no new one gets in.
            Level::Pending | Level::Exclusive if others >= Level::Shared => {
                own.level = Level::Pending;
                return Err(Held);
            }
            Level::Shared | Level::Reserved | Level::Pending | Level::Exclusive => {
                own.level = wanted;
            }
        }
        Ok(())
    }

    pub(crate) fn unlock(&mut self, handle: u64, down_to: Level) {
        if let Some(own) = self.own(handle) {
            own.level = own.level.min(down_to);
        }
    }

    pub(crate) fn is_reserved(&self) -> bool {
        self.0.iter().any(|holder| holder.level >= Level::Reserved)
    }

    pub(crate) fn share_slots(&mut self, handle: u64, slots: u32) -> Result<(), Held> {
        if self
            .others(handle)
            .any(|other| other.exclusive & slots != 0)
        {
            return Err(Held);
        }
        let own = self.own(handle).ok_or(Held)?;
        own.shared |= slots;
        Ok(())
    }

    pub(crate) fn take_slots(&mut self, handle: u64, slots: u32) -> Result<(), Held> {
        let is_held = |other: &Holder| (other.exclusive | other.shared) & slots != 0;
        if self.others(handle).any(is_held) {
            return Err(Held);
        }
        let own = self.own(handle).ok_or(Held)?;
        own.exclusive |= slots;
        Ok(())
    }

    pub(crate) fn free_slots(&mut self, handle: u64, slots: u32) {
        if let Some(own) = self.own(handle) {
            own.shared &= !slots;
            own.exclusive &= !slots;
        }
    }

    /// A handle uses the shared memory from now on.
    pub(crate) fn map_memory(&mut self, handle: u64) {
        if let Some(own) = self.own(handle) {
            own.has_memory = true;
        }
    }

    /// A handle leaves the shared memory; says whether it was the last.
    pub(crate) fn unmap_memory(&mut self, handle: u64) -> bool {
        self.free_slots(handle, u32::MAX);
        if let Some(own) = self.own(handle) {
            own.has_memory = false;
        }
        !self.0.iter().any(|holder| holder.has_memory)
    }

    fn own(&mut self, handle: u64) -> Option<&mut Holder> {
        self.0.iter_mut().find(|holder| holder.handle == handle)
    }

    fn others(&self, handle: u64) -> impl Iterator<Item = &Holder> {
        self.0.iter().filter(move |holder| holder.handle != handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// File locks shut out what they must, and a waiting writer lets no new reader in.
    #[test]
    fn levels_shut_each_other_out() {
        let mut locks = Locks::default();
        (1..=3).for_each(|handle| locks.open(handle));
        let steps = [
            (1, Level::Shared, true),
            (2, Level::Shared, true),
            (1, Level::Reserved, true),
            (2, Level::Reserved, false),
            (2, Level::Exclusive, false),
            (1, Level::Exclusive, false),
            (3, Level::Shared, false),
        ];
        for (handle, wanted, is_had) in steps {
            let got = locks.lock(handle, wanted).is_ok();
            assert_eq!(got, is_had, "{handle} {wanted:?}");
        }
        locks.unlock(2, Level::None);
        assert_eq!(locks.lock(1, Level::Exclusive), Ok(()));
        locks.unlock(1, Level::None);
        assert_eq!(locks.lock(3, Level::Shared), Ok(()));
        assert!(!locks.is_reserved());
    }

    /// Slots are shared by readers, taken by one, and freed when a handle closes.
    #[test]
    fn slots_shut_each_other_out() {
        let mut locks = Locks::default();
        (1..=2).for_each(|handle| locks.open(handle));
        assert_eq!(locks.share_slots(1, 0b1000), Ok(()));
        assert_eq!(locks.share_slots(2, 0b1000), Ok(()));
        assert_eq!(locks.take_slots(2, 0b1000), Err(Held));
        assert_eq!(locks.take_slots(2, 0b0110), Ok(()));
        assert_eq!(locks.share_slots(1, 0b0010), Err(Held));
        locks.close(2);
        assert_eq!(locks.share_slots(1, 0b0010), Ok(()));
    }
}
