'use strict';
// Draws the run that is in this page as JSON (report.schema.json). Whatever the CSMS or a station wrote reaches the page as text, never as markup.

const run = JSON.parse(document.getElementById('run').textContent);

// ---- How figures are written ------------------------------------------------------------------------------------

const NONE = '–';

function digits(value) {
  const size = Math.abs(value);
  return value.toLocaleString('en', { maximumFractionDigits: size >= 100 ? 0 : size >= 10 ? 1 : 2 });
}

function scaled(value, steps) {
  if (value === null || value === undefined) return NONE;
  const [least, unit] = steps.find(([step]) => Math.abs(value) >= step) || steps[steps.length - 1];
  return digits(value / least) + unit;
}

const write = {
  count: (n) => (n === null || n === undefined ? NONE : n.toLocaleString('en', { maximumFractionDigits: 0 })),
  rate: (n) => (n === null || n === undefined ? NONE : digits(n) + '/s'),
  share: (n) => (n === null || n === undefined ? NONE : digits(n * 100) + ' %'),
  bytes: (n) => scaled(n, [[1e9, ' GB'], [1e6, ' MB'], [1e3, ' KB'], [1, ' B']]),
  seconds: (n) => (n === 0 ? '0 s' : scaled(n, [[1, ' s'], [1e-3, ' ms'], [1e-6, ' µs']])),
  // 3661 is 1 h 1 min 1 s: no more than the two largest, nobody asks for the seconds of a day.
  span(seconds) {
    let left = Math.round(seconds);
    const parts = [];
    for (const [size, unit] of [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]) {
      if (left >= size) parts.push(`${Math.floor(left / size)} ${unit}`);
      left %= size;
    }
    return parts.slice(0, 2).join(' ') || `${digits(seconds)} s`;
  },
  clock(seconds) {
    const total = Math.round(seconds);
    const two = (n) => String(n).padStart(2, '0');
    const hours = Math.floor(total / 3600);
    return (hours ? `${hours}:${two(Math.floor(total / 60) % 60)}` : Math.floor(total / 60)) + ':' + two(total % 60);
  },
  moment: (iso) => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC'),
};

// ---- What the page is made of -----------------------------------------------------------------------------------

const page = document.querySelector('main');

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function card(title, hint, ...children) {
  const heading = element('h2', {}, title);
  if (hint) heading.append(' ', element('span', { className: 'quiet small hint' }, hint));
  return element('section', { className: 'card' }, heading, ...children);
}

// columns: [title, what of a row, class]
function table(columns, rows) {
  const cells = (kind, row, of) => columns.map((column) => element(kind, { className: column[2] || '' }, of(column, row)));
  const titles = columns.some(([title]) => title) ? [element('thead', {}, element('tr', {}, ...cells('th', null, ([title]) => title)))] : [];
  return element('div', { className: 'table' }, element('table', {}, ...titles,
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...cells('td', row, ([, what], r) => what(r)))))));
}

// ---- Plots ------------------------------------------------------------------------------------------------------

const plots = [];

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
}

// The colours are those of the screen or of the paper, as they are now.
function paint(chart) {
  for (const set of chart.data.datasets) {
    set.borderColor = colour(set.tone);
    set.backgroundColor = colour(set.tone);
  }
  const { x, y } = chart.options.scales;
  x.ticks.color = y.ticks.color = colour('quiet');
  y.grid.color = colour('line');
  chart.options.plugins.legend.labels.color = colour('ink');
  chart.update('none');
}

// Moments of the run, as lines in every plot: when all stations were there, and when the end began. Outages lie behind the curves.
const moments = [run.all_connected_at_seconds, run.drain_began_at_seconds].filter((at) => at !== null);

const markMoments = {
  id: 'moments',
  beforeDatasetsDraw({ ctx, chartArea, scales }) {
    ctx.save();
    ctx.fillStyle = colour('outage');
    for (const { from_seconds: from, to_seconds: to } of run.outages) {
      const left = scales.x.getPixelForValue(from);
      const right = to === null ? chartArea.right : scales.x.getPixelForValue(to);
      ctx.fillRect(left, chartArea.top, Math.max(right - left, 2), chartArea.bottom - chartArea.top);
    }
    ctx.strokeStyle = colour('quiet');
    ctx.setLineDash([3, 4]);
    for (const at of moments) {
      const x = scales.x.getPixelForValue(at);
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
    }
    ctx.restore();
  },
};

// Ticks at times that people count in: at most so many.
function timeTicks(end, most) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200];
  const step = steps.find((size) => end / size <= most) || Math.ceil(end / most / 86400) * 86400;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => ({ value: i * step }));
}

// Plain boxes, also of dashed curves, in the order in which they are named.
function generateLabels(chart) {
  return Chart.defaults.plugins.legend.labels.generateLabels(chart).map((label) => ({ ...label, lineDash: [] }))
    .sort((a, b) => a.datasetIndex - b.datasetIndex);
}

// series: [name, column of run.series, colour, dashes]. What never was is left out of a stack.
function plot(title, hint, all, form) {
  const series = form.stacked ? all.filter(([, column]) => run.series[column].some((value) => value > 0)) : all;
  const times = run.series.at_seconds;
  if (series.every(([, column]) => run.series[column].every((value) => value === null))) return card(title, hint, element('p', { className: 'quiet' }, 'None was measured.'));
  const canvas = element('canvas', { role: 'img', ariaLabel: `${title}: ${series.map(([name]) => name).join(', ')}, over the time of the run` });
  const holder = card(title, hint, element('div', { className: 'plot' }, canvas));
  if (form.wide) holder.classList.add('wide');
  const datasets = series.map(([name, column, tone, dashes], place) => ({
    label: name,
    tone,
    data: times.map((time, i) => ({ x: time, y: run.series[column][i] })),
    fill: form.stacked ? (place === 0 ? 'origin' : '-1') : false,
    borderWidth: form.stacked ? 0 : 2,
    borderDash: dashes || [],
    order: dashes ? 0 : 1, // before the curve that it may lie on
    pointRadius: 0,
    pointHitRadius: 8,
  }));
  plots.push(() => new Chart(canvas, {
    type: 'line',
    data: { datasets },
    plugins: [markMoments],
    options: {
      animation: false,
      maintainAspectRatio: false,
      normalized: true,
      parsing: false,
      interaction: { mode: 'index', intersect: false, axis: 'x' },
      scales: {
        x: {
          type: 'linear', min: 0, max: times[times.length - 1],
          grid: { display: false }, ticks: { callback: write.clock, maxRotation: 0 },
          afterBuildTicks(axis) { axis.ticks = timeTicks(axis.max, form.wide ? 12 : 6); },
        },
        y: {
          stacked: Boolean(form.stacked), beginAtZero: true,
          grid: { drawBorder: false }, ticks: { callback: (value) => form.write(value), maxTicksLimit: 6 },
        },
      },
      plugins: {
        legend: { display: series.length > 1, position: 'top', align: 'end', labels: { boxWidth: 10, boxHeight: 10, padding: 10, generateLabels } },
        tooltip: {
          callbacks: {
            title: (items) => write.clock(items[0].parsed.x),
            label: (item) => `${item.dataset.label}: ${form.write(item.parsed.y)}`,
          },
        },
        decimation: { enabled: times.length > 1000, algorithm: 'min-max' },
      },
    },
  }));
  return holder;
}

// ---- The parts of the page, in the order of what is asked first -----------------------------------------------------

const plural = (n, one, many) => `${write.count(n)} ${n === 1 ? one : many}`;

function heading() {
  const { setup } = run;
  const title = `${setup.file}: ${plural(setup.stations, 'station', 'stations')}`;
  const facts = [write.moment(run.started_at), `ran for ${write.span(run.duration_seconds)}`, `its end: ${run.end}`, setup.url];
  if (setup.shards > 1) facts.push(`shard ${setup.shard} of ${setup.shards}`);
  document.title = `${title} – fleet report`;
  return element('header', {}, element('h1', {}, title), element('div', { className: 'quiet small' }, facts.join(' · ')));
}

function verdict() {
  const promise = ({ text, kept, detail }) => element('li', { className: kept ? 'kept' : 'broken' },
    text, ...(detail ? [' ', element('span', { className: 'quiet small' }, detail)] : []));
  return element('section', { className: `card verdict ${run.verdict.level}` }, element('h2', {}, run.verdict.text),
    element('ul', { className: 'promises' }, ...run.promises.map(promise)));
}

function tiles() {
  const { totals, setup } = run;
  const tile = (title, value, below) =>
    element('div', { className: 'card tile' }, element('span', { className: 'quiet small' }, title), element('b', {}, value),
      element('span', { className: 'quiet small' }, below));
  const percentiles = (title, of) => tile(`${title}, p99`, write.seconds(of.p99), of.count === 0 ? 'none was measured' : `p50 ${write.seconds(of.p50)}, max ${write.seconds(of.max)}`);
  const steady = run.cpu_cores_steady;
  return element('section', { className: 'tiles' },
    tile('Connected', write.count(totals.stations_connected_once),
      `of ${write.count(setup.stations)}` + (run.all_connected_at_seconds === null ? ' at least once' : `, after ${write.span(run.all_connected_at_seconds)}`)),
    tile('Connections lost', write.count(totals.disconnects), plural(totals.attempts_failed, 'attempt failed', 'attempts failed')),
    percentiles('Round trip', run.round_trip_seconds),
    percentiles('Call', run.call_seconds),
    percentiles('Connect', run.handshake_seconds.whole),
    tile('Calls answered', write.count(totals.calls_answered), `of ${write.count(totals.calls_sent)}, ${write.count(totals.calls_failed)} failed`),
    tile('Own CPU', write.share(steady === null ? run.cpu_cores : steady), steady === null ? 'of a core' : `of a core, all connected`),
    tile('Own memory', write.bytes(run.resident_bytes_max), `${write.bytes(run.resident_bytes_max / setup.stations)} per station`));
}

function pictures() {
  if (typeof Chart === 'undefined') {
    return card('No plots', '', element('p', {}, 'This chargewire-fleet was built where there was no Chart.js (in Debian: libjs-chart.js). The figures over time are in this page as JSON all the same.'));
  }
  if (run.series.at_seconds.length < 2) return card('No plots', '', element('p', {}, 'The run was too short to have figures over time.'));
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const percentiles = (of) => ['p50', 'p90', 'p99'].map((p) => [p, `${of}_${p}_seconds`, p]);
  return element('section', { className: 'plots' },
    plot('Stations by state', '', [['connected', 'stations_connected', 'connected'], ['connecting', 'stations_connecting', 'connecting'],
      ['held back', 'stations_held_back', 'held'], ['reconnecting', 'stations_reconnecting', 'reconnecting'], ['gave up', 'stations_error', 'error'], ['disconnected', 'stations_disconnected', 'disconnected'],
      ['closed', 'stations_closed', 'closed'], ['not started', 'stations_not_started', 'waiting']],
      { wide: true, stacked: true, write: write.count }),
    plot('Messages', run.outages.length > 0 ? 'per second; outages are shaded' : 'per second', [['sent', 'messages_sent_per_second', 'sent'], ['received', 'messages_received_per_second', 'received', [6, 5]]], { write: write.rate }),
    plot('Connections', 'per second', [['established', 'connects_per_second', 'connected'], ['attempts failed', 'attempts_failed_per_second', 'reconnecting'],
      ['lost', 'disconnects_per_second', 'error']], { write: write.rate }),
    plot('Round trip', 'from a ping to its pong', percentiles('round_trip'), { write: write.seconds }),
    plot('Calls', 'from a CALL to its answer', percentiles('call'), { write: write.seconds }),
    plot('Own CPU', '100 % is one core', [['CPU', 'cpu_cores', 'cpu']], { write: write.share }),
    plot('Own memory', 'resident', [['memory', 'resident_bytes', 'memory']], { write: write.bytes }));
}

function failures() {
  return run.failures.length > 0 && card('Connections that failed', 'attempts and losses, by their cause', table([
    ['', (f) => (f.lost ? 'lost' : 'attempts'), 'word'],
    ['status', (f) => f.status, 'word'],
    ['phase', (f) => f.phase, 'word'],
    ['times', (f) => write.count(f.count), 'number'],
    ['stations', (f) => write.count(f.stations), 'number'],
    ['why, and what to do', (f) => element('div', {}, f.cause, element('div', { className: 'advice' }, f.advice))],
  ], run.failures));
}

function callFailures() {
  return run.call_failures.length > 0 && card('Calls that failed', 'by action and reason', table([
    ['action', (f) => f.action, 'name'],
    ['reason', (f) => f.reason, 'name'],
    ['times', (f) => write.count(f.count), 'number'],
    ['stations', (f) => write.count(f.stations), 'number'],
    ['why', (f) => f.cause],
  ], run.call_failures));
}

// The same from row to row is said once.
function lastError(station) {
  const above = run.worst_stations[run.worst_stations.indexOf(station) - 1];
  return above && station.last_error && above.last_error === station.last_error ? element('span', { className: 'quiet' }, 'as above') : station.last_error;
}

function worst() {
  return run.worst_stations.length > 0 && card('Worst stations', 'not connected, then with the most trouble', table([
    ['station', (s) => s.id, 'name'],
    ['state', (s) => s.state, 'word'],
    ['quality', (s) => s.quality, 'word'],
    ['lost', (s) => write.count(s.connections_lost), 'number'],
    ['attempts failed', (s) => write.count(s.attempts_failed), 'number'],
    ['calls failed', (s) => write.count(s.calls_failed), 'number'],
    ['round trip', (s) => write.seconds(s.round_trip_seconds), 'number'],
    ['last error', lastError],
  ], run.worst_stations));
}

function connecting() {
  const parts = ['whole', 'resolve', 'tcp', 'proxy', 'tls', 'http'].map((part) => ({ part, ...run.handshake_seconds[part] })).filter(({ count }) => count > 0);
  return parts.length > 0 && card('Connecting, by part', 'the last handshake of each station', table([
    ['part', (p) => p.part, 'word'],
    ...['p50', 'p90', 'p99', 'max'].map((p) => [p, (row) => write.seconds(row[p]), 'number']),
  ], parts));
}

function quality() {
  const grades = Object.entries(run.stations_by_quality).filter(([, stations]) => stations > 0);
  return grades.length > 0 && card('Quality of the connections', 'before the end began', table([
    ['grade', ([grade]) => grade, 'word'],
    ['stations', ([, stations]) => write.count(stations), 'number'],
    ['', ([, stations]) => write.share(stations / run.setup.stations), 'number'],
  ], grades), element('p', { className: 'quiet small' }, `Jitter p99: ${write.seconds(run.jitter_seconds.p99)}`));
}

function traffic() {
  const { totals } = run;
  const compressed = totals.wire_bytes_sent !== totals.bytes_sent || totals.wire_bytes_received !== totals.bytes_received;
  const rows = [['messages', write.count(totals.messages_sent), write.count(totals.messages_received)],
    ['bytes of them', write.bytes(totals.bytes_sent), write.bytes(totals.bytes_received)],
    ...(compressed ? [['compressed to', write.bytes(totals.wire_bytes_sent), write.bytes(totals.wire_bytes_received)]] : []),
    ...(totals.messages_not_sent ? [['reported as not sent', write.count(totals.messages_not_sent), '']] : [])];
  return totals.messages_sent + totals.messages_received > 0 && card('Traffic', '', table([
    ['', ([what]) => what],
    ['sent', ([, sent]) => sent, 'number'],
    ['received', ([, , received]) => received, 'number'],
  ], rows));
}

function actions(title, rows, latency) {
  return rows.length > 0 && card(title, '', table([
    ['action', (a) => a.action, 'name'],
    ['sent', (a) => write.count(a.sent), 'number'],
    ['answered', (a) => write.count(a.answered), 'number'],
    ['failed', (a) => write.count(a.failed), 'number'],
    ...(latency ? ['p50', 'p90', 'p99', 'max'].map((p) => [p, (a) => write.seconds(a.latency_seconds[p]), 'number']) : []),
  ], rows));
}

function incidents() {
  const left = run.incidents_left_out;
  return run.incidents.length > 0 && card('What happened', left ? `the first of them; ${write.count(left)} more are left out` : '', table([
    ['', (i) => write.clock(i.at_seconds), 'number'],
    ['', (i) => i.text],
  ], run.incidents));
}

function configuration() {
  const { setup } = run;
  const rows = [
    ['URL', setup.url],
    ['stations', `${setup.first_id} to ${setup.last_id}`],
    ['shard', setup.shards > 1 ? `${setup.shard} of ${setup.shards}, of ${plural(setup.stations_of_all_shards, 'station', 'stations')} in all` : 'none: the whole fleet'],
    ['ramp', setup.ramp_stations_per_second === null ? 'all at once' : `${digits(setup.ramp_stations_per_second)} stations a second`],
    ['duration', setup.duration_seconds === null ? 'until it is ended' : write.span(setup.duration_seconds)],
    ['OCPP', setup.protocols.map(({ offered, stations }) => `${offered} (${plural(stations, 'station', 'stations')})`).join(', ')],
    ...setup.scenario.map(({ what, how }) => [what, how]),
    ['breaker', setup.breaker],
    ...setup.library_options.map(({ key, value }) => [key, value]),
    ...(setup.metrics_url ? [['metrics', setup.metrics_url]] : []),
    ['seed', String(setup.seed)],
    ['machine', `${setup.host}, ${plural(setup.host_cores, 'core', 'cores')}`],
  ];
  return card('Configuration', 'without its secrets', table([['', ([name]) => name, 'name quiet'], ['', ([, value]) => value]], rows));
}

function side(...cards) {
  return element('section', { className: 'plots' }, ...cards.filter(Boolean));
}

// A part of which there is nothing to say is left out.
page.append(...[heading(), verdict(), tiles(), pictures(), failures(), callFailures(), worst(), side(connecting(), element('div', {}, ...[quality(), traffic()].filter(Boolean))),
  actions('Calls of the stations', run.actions, true), actions('Calls of the CSMS', run.commands, false), incidents(), configuration(),
  element('footer', {}, `chargewire-fleet ${run.setup.library_version}. All figures of the run are in this page as JSON: ${run.format}, version ${run.version}.`),
].filter(Boolean));

// Charts take the size of what is around them, so they are made when all of it is there.
const charts = plots.map((make) => make());
charts.forEach(paint);
// On paper: its colours and its width.
const repaint = () => charts.forEach((chart) => { chart.resize(); paint(chart); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
matchMedia('print').addEventListener('change', repaint);
