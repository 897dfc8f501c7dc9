//! Dated rates between currencies; a payment keeps the one that it used.

use crate::money::{Currency, FxRate};
use crate::time::CivilDate;

/// Units of `quote` for one unit of `base`, from a business date until the next one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rate {
    /// The currency of prices.
    pub base: Currency,
    /// The currency of the wallet.
    pub quote: Currency,
    /// The first business date on which it holds.
    pub from: CivilDate,
    /// The rate.
    pub rate: FxRate,
    /// Where it comes from.
    pub source: Box<str>,
}

/// All rates, in order of pair and date.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RateTable(Vec<Rate>);

impl RateTable {
    /// A table of these rates; of two for the same pair and date the later one in the list counts.
    pub fn of(rates: Vec<Rate>) -> Self {
        let mut table = Self::default();
        for rate in rates {
            table.put(rate);
        }
        table
    }

    /// Adds a rate, or replaces the one of the same pair and date.
    pub fn put(&mut self, rate: Rate) {
        let key = |rate: &Rate| (rate.base, rate.quote, rate.from);
        match self.0.binary_search_by_key(&key(&rate), key) {
            Ok(place) => {
                if let Some(old) = self.0.get_mut(place) {
                    *old = rate;
                }
            }
            Err(place) => self.0.insert(place, rate),
        }
    }

    /// The rate of a pair on a date: the latest that began on or before it.
    pub fn on(&self, base: Currency, quote: Currency, date: CivilDate) -> Option<FxRate> {
        let end = self
            .0
            .partition_point(|rate| (rate.base, rate.quote, rate.from) <= (base, quote, date));
        let rate = end.checked_sub(1).and_then(|place| self.0.get(place))?;
        (rate.base == base && rate.quote == quote).then_some(rate.rate)
    }

    /// The rates, in order.
    pub fn rates(&self) -> &[Rate] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: the rate of a day is the last one begun, per pair, to the day.
    #[test]
    fn the_latest_rate_counts() {
        let rate = |base, day, text: &str| Rate {
            base,
            quote: Currency::CNY,
            from: CivilDate::from_days(day),
            rate: text.parse().unwrap(),
            source: "test".into(),
        };
        let mut table = RateTable::of(vec![
            rate(Currency::USD, 10, "7.2"),
            rate(Currency::HKD, 20, "0.93"),
            rate(Currency::HKD, 10, "0.92"),
        ]);
        let on = |table: &RateTable, base, day| {
            table
                .on(base, Currency::CNY, CivilDate::from_days(day))
                .map(|rate| rate.to_string())
        };
        assert_eq!(on(&table, Currency::HKD, 9), None);
        assert_eq!(on(&table, Currency::HKD, 10).as_deref(), Some("0.92000000"));
        assert_eq!(on(&table, Currency::HKD, 19).as_deref(), Some("0.92000000"));
        assert_eq!(on(&table, Currency::HKD, 20).as_deref(), Some("0.93000000"));
        assert_eq!(on(&table, Currency::USD, 99).as_deref(), Some("7.20000000"));
        assert_eq!(on(&table, Currency::EUR, 99), None);
        table.put(rate(Currency::HKD, 20, "0.94"));
        assert_eq!(on(&table, Currency::HKD, 20).as_deref(), Some("0.94000000"));
        assert_eq!(table.rates().len(), 3);
    }
}
