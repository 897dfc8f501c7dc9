//! Whether the first byte of a request went out: that alone tells "it cannot have arrived" from "it
//! may have", whatever the error is called. A chain link behind TCP and TLS takes note of it.

use std::cell::Cell;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

thread_local! {
    // A request is sent by the thread that asks for it.
    static WENT_OUT: Cell<bool> = const { Cell::new(false) };
}

/// Does something that sends a request; and says whether any byte of it went out.
pub(crate) fn watch<T>(send: impl FnOnce() -> T) -> (T, bool) {
    WENT_OUT.set(false);
    let done = send();
    (done, WENT_OUT.get())
}

/// The last link of the chain.
#[derive(Debug)]
pub(crate) struct Witness;

impl<In: Transport> Connector<In> for Witness {
    type Out = Watched<In>;

    fn connect(
        &self,
        _details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Watched<In>>, ureq::Error> {
        Ok(chained.map(Watched))
    }
}

#[derive(Debug)]
pub(crate) struct Watched<In>(In);

impl<In: Transport> Transport for Watched<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        WENT_OUT.set(true);
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
