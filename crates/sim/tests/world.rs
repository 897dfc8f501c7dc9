//! Worlds that must hold, and broken gateways that must be found.

use spotpay_sim::canary::Canary;
use spotpay_sim::world::{Play, play};

/// Steps of noise in each.
const STEPS: u64 = 1_500;
/// Seeds within which each broken gateway must be found.
const CANARY_SEEDS: u64 = 20;

fn hold(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let world = Play {
            seed,
            steps: STEPS,
            canary: None,
        };
        if let Err(failure) = play(&world) {
            panic!("{failure}");
        }
    }
}

/// Goal: whatever goes wrong, nothing answered is lost or doubled, and all settles.
#[test]
fn even_worlds_hold() {
    hold((0..200).step_by(2));
}

/// Goal: the same on the other core.
#[test]
fn odd_worlds_hold() {
    hold((1..200).step_by(2));
}

/// Goal: a seed is one world, line by line and byte by byte.
#[test]
fn a_seed_repeats_its_world() {
    for seed in [3, 42] {
        let world = Play {
            seed,
            steps: STEPS,
            canary: None,
        };
        assert_eq!(play(&world), play(&world), "seed {seed}");
    }
}

/// Goal: the checkers see: each broken gateway is found within a few seeds.
#[test]
fn canaries_are_found() {
    for canary in Canary::ALL {
        let found = (0..CANARY_SEEDS).find_map(|seed| {
            let world = Play {
                seed,
                steps: STEPS,
                canary: Some(canary),
            };
            play(&world).err()
        });
        assert!(found.is_some(), "{canary:?} is not found");
    }
}
