//! A panic anywhere in a world is a failure of it, also where the gateway catches it and goes on.

use std::cell::Cell;
use std::sync::Once;

thread_local! {
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// From now on panics are noted, and still told as before.
pub(super) fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICKED.set(true);
            told(info);
        }));
    });
    PANICKED.set(false);
}

/// Whether something panicked on this thread since this was last asked.
pub(super) fn take() -> bool {
    PANICKED.replace(false)
}
