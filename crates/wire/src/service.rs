//! The services behind the one URL (`spec/00`).

use std::fmt;
use std::str::FromStr;

macro_rules! services {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What the parameter `service` names.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Service { $($(#[$doc])* $variant,)* }

        impl Service {
            /// Every service that Spotpay answers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl FromStr for Service {
            type Err = UnknownService;

            fn from_str(name: &str) -> Result<Self, UnknownService> {
                match name { $($name => Ok(Self::$variant),)* _ => Err(UnknownService) }
            }
        }
    };
}

services! {
    /// Take a payment with a scanned code (`spec/02`).
    Pay = "alipay.acquire.overseas.spot.pay";
    /// The status of a payment (`spec/03`).
    Query = "alipay.acquire.overseas.query";
    /// Close an unpaid trade, give back a paid one (`spec/04`).
    Cancel = "alipay.acquire.cancel";
    /// The first name of cancel.
    Reverse = "alipay.acquire.overseas.spot.reverse";
    /// The second name of cancel.
    SpotCancel = "alipay.acquire.overseas.spot.cancel";
    /// Money back, in part or whole (`spec/05`).
    Refund = "alipay.acquire.overseas.spot.refund";
    /// The status of one refund (`spec/05`).
    RefundQuery = "alipay.acquire.refund.query";
    /// Register or update a secondary merchant and its store (`spec/08`).
    StoreMaintain = "alipay.overseas.secmerchant.offline.maintain";
    /// The status of a registration (`spec/08`).
    StoreQuery = "alipay.overseas.secmerchant.maintain.queryStatus";
    /// What took place on some days, as text (`spec/07`).
    CompareFile = "forex_compare_file";
    /// What was settled on some days, as text (`spec/07`).
    LiquidationFile = "forex_liquidation_file";
    /// Whether a notification was really sent (`spec/06`).
    NotifyVerify = "notify_verify";
}

/// A name that is no service, refused with `ILLEGAL_SERVICE` (`spec/11`, 9).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no such service")]
pub struct UnknownService;

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for &service in Service::ALL {
            assert_eq!(service.as_str().parse(), Ok(service));
        }
        assert_eq!(
            "alipay.acquire.precreate".parse::<Service>(),
            Err(UnknownService)
        );
    }
}
