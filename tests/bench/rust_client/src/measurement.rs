//! What all clients measure and print: measurement.h in Rust.

use std::fs;
use std::os::raw::{c_int, c_long};
use std::time::Instant;

#[repr(C)]
#[derive(Clone, Copy)]
struct TimeVal {
    seconds: c_long,
    microseconds: c_long,
}

#[repr(C)]
struct Usage {
    user: TimeVal,
    system: TimeVal,
    others: [c_long; 14],
}

#[repr(C)]
struct Limit {
    current: u64,
    maximum: u64,
}

#[repr(C)]
struct MallInfo {
    arena: usize,
    free_chunks: [usize; 3],
    mapped_bytes: usize,
    free_bytes: [usize; 2],
    used_bytes: usize,
    others: [usize; 2],
}

extern "C" {
    fn getrusage(who: c_int, usage: *mut Usage) -> c_int;
    fn getrlimit(resource: c_int, limit: *mut Limit) -> c_int;
    fn setrlimit(resource: c_int, limit: *const Limit) -> c_int;
    fn malloc_trim(pad: usize) -> c_int;
    fn mallinfo2() -> MallInfo;
    fn sysconf(name: c_int) -> c_long;
}

const RLIMIT_NOFILE: c_int = 7;
const SC_PAGESIZE: c_int = 30;

pub fn raise_descriptor_limit() {
    let mut limit = Limit {
        current: 0,
        maximum: 0,
    };
    // SAFETY: both get a structure that lives for the call.
    unsafe {
        getrlimit(RLIMIT_NOFILE, &mut limit);
        limit.current = limit.maximum;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

fn heap_bytes() -> f64 {
    // SAFETY: takes nothing.
    let heaps = unsafe { mallinfo2() };
    (heaps.used_bytes + heaps.mapped_bytes) as f64
}

fn resident_bytes() -> f64 {
    // SAFETY: numbers.
    let page = unsafe {
        malloc_trim(0);
        sysconf(SC_PAGESIZE)
    };
    let statm = fs::read_to_string("/proc/self/statm").expect("/proc");
    statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<f64>().ok())
        .expect("pages")
        * page as f64
}

/// Of the clock and of the CPU.
pub struct Stopwatch {
    start: Instant,
    user_us: f64,
    system_us: f64,
}

impl Stopwatch {
    pub fn start() -> Stopwatch {
        let (user_us, system_us) = cpu_us();
        Stopwatch {
            start: Instant::now(),
            user_us,
            system_us,
        }
    }

    /// Seconds, and microseconds of CPU of the program and of the kernel.
    fn read(&self) -> (f64, f64, f64) {
        let (user_us, system_us) = cpu_us();
        (
            self.start.elapsed().as_secs_f64(),
            user_us - self.user_us,
            system_us - self.system_us,
        )
    }
}

fn cpu_us() -> (f64, f64) {
    let zero = TimeVal {
        seconds: 0,
        microseconds: 0,
    };
    let mut usage = Usage {
        user: zero,
        system: zero,
        others: [0; 14],
    };
    // SAFETY: a structure that lives for the call; 0 is this process.
    unsafe { getrusage(0, &mut usage) };
    let us = |time: TimeVal| time.seconds as f64 * 1e6 + time.microseconds as f64;
    (us(usage.user), us(usage.system))
}

/// What was before the first station is dialled.
pub struct Dialing {
    heap: f64,
    resident: f64,
    watch: Stopwatch,
}

impl Dialing {
    pub fn begin() -> Dialing {
        Dialing {
            heap: heap_bytes(),
            resident: resident_bytes(),
            watch: Stopwatch::start(),
        }
    }
}

/// Nanoseconds in buckets, of which each power of two has 128.
pub struct Latency {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

const CUT_BITS: u32 = 7;
const CUTS: u64 = 1 << CUT_BITS;

impl Latency {
    pub fn new() -> Latency {
        Latency {
            counts: vec![0; 64 * CUTS as usize],
            total: 0,
            max: 0,
        }
    }

    pub fn record(&mut self, ns: u64) {
        let dropped = (63 - CUT_BITS).saturating_sub((ns | 1).leading_zeros());
        let bucket = if ns < CUTS {
            ns
        } else {
            u64::from(dropped) * CUTS + (ns >> dropped)
        };
        self.counts[bucket as usize] += 1;
        self.total += 1;
        self.max = self.max.max(ns);
    }

    /// In microseconds, the upper end of the bucket that the percentile falls into; 0 if nothing was recorded.
    fn percentile_us(&self, percent: f64) -> f64 {
        let wanted = ((percent / 100.0 * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in (0..).zip(&self.counts) {
            seen += count;
            if seen >= wanted {
                let dropped = (bucket / CUTS).saturating_sub(1);
                let last = ((bucket - dropped * CUTS + 1) << dropped) - 1;
                return last.min(self.max) as f64 / 1e3;
            }
        }
        0.0
    }
}

pub struct Outcome {
    pub stations: usize,
    pub in_flight: usize,
    pub size: usize,
    pub tls: bool,
    memory: [f64; 2],
    connects_per_second: f64,
    cpu_us_per_connect: f64,
    round_trips: u64,
    exchange: (f64, f64, f64),
}

impl Outcome {
    /// When the last station is connected.
    pub fn connected(
        dialing: &Dialing,
        stations: usize,
        in_flight: usize,
        size: usize,
        tls: bool,
    ) -> Outcome {
        let (seconds, user_us, system_us) = dialing.watch.read();
        let of_each = stations as f64;
        Outcome {
            stations,
            in_flight,
            size,
            tls,
            memory: [
                (resident_bytes() - dialing.resident) / of_each,
                (heap_bytes() - dialing.heap) / of_each,
            ],
            connects_per_second: of_each / seconds,
            cpu_us_per_connect: (user_us + system_us) / of_each,
            round_trips: 0,
            exchange: (0.0, 0.0, 0.0),
        }
    }

    /// When the last message is answered.
    pub fn exchanged(&mut self, watch: &Stopwatch, round_trips: u64) {
        self.exchange = watch.read();
        self.round_trips = round_trips;
    }

    pub fn print(&self, latency: &Latency) {
        let trips = self.round_trips.max(1) as f64;
        let (seconds, user_us, system_us) = self.exchange;
        let [p50, p90, p99, p999] =
            [50.0, 90.0, 99.0, 99.9].map(|percent| latency.percentile_us(percent));
        println!(
            "{{\"client\":\"chargewire, Rust\",\"stations\":{},\"in_flight\":{},\"size\":{},\"tls\":{},\"round_trips\":{},\
             \"seconds\":{seconds:.4},\"cpu_user_us_per_trip\":{:.4},\"cpu_sys_us_per_trip\":{:.4},\
             \"rss_per_connection_bytes\":{:.0},\"heap_per_connection_bytes\":{:.0},\"connects_per_second\":{:.0},\
             \"cpu_us_per_connect\":{:.2},\"latency_us\":{{\"p50\":{p50:.1},\"p90\":{p90:.1},\"p99\":{p99:.1},\
             \"p99.9\":{p999:.1},\"max\":{:.1}}}}}",
            self.stations,
            self.in_flight,
            self.size,
            self.tls,
            self.round_trips,
            user_us / trips,
            system_us / trips,
            self.memory[0],
            self.memory[1],
            self.connects_per_second,
            self.cpu_us_per_connect,
            latency.max as f64 / 1e3,
        );
    }
}
