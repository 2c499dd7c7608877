// SPDX-License-Identifier: MIT
// Draws the report's charts with Chart.js and links them with the rows of the first table.
(function () {
  'use strict';
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const canvas = document.getElementById('chart');
  const rows = Array.from(document.querySelectorAll('table[data-points] tbody tr'));
  const shapes = ['circle', 'triangle', 'rect', 'rectRot', 'star', 'crossRot'];
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function significant(value) {
    if (value === 0) return '0';
    const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
    return digits > 6 ? value.toExponential(2) : Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: digits });
  }
  function seconds(value) {
    const units = [[1, 's'], [1e-3, 'ms'], [1e-6, 'us'], [1e-9, 'ns']];
    const [size, name] = units.find(([s]) => value >= s * 0.9995) || units[3];
    return significant(value / size) + ' ' + name;
  }
  function short(value) {
    const units = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']];
    const unit = units.find(([s]) => value >= s * 0.9995);
    return unit ? significant(value / unit[0]) + unit[1] : significant(value);
  }
  const long = (unit, value) => (unit === 'seconds' ? seconds(value) : significant(value));
  // Only the powers of ten get a label; the lines between them stay.
  const decade = (unit) => (value) => {
    const power = Math.log10(value);
    return Math.abs(power - Math.round(power)) < 1e-6 ? (unit === 'seconds' ? seconds(value) : short(value)) : '';
  };

  // The vertical line at the crossover, with its label on the side that has room.
  const mark = {
    id: 'mark',
    afterDatasetsDraw(chart, args, options) {
      if (!options.x) return;
      const { ctx, chartArea: area, scales: { x } } = chart;
      const at = x.getPixelForValue(options.x);
      if (at < area.left || at > area.right) return;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = color('--mark');
      ctx.lineWidth = 1.5;
      ctx.setLineDash([5, 4]);
      ctx.beginPath();
      ctx.moveTo(at, area.top);
      ctx.lineTo(at, area.bottom);
      ctx.stroke();
      ctx.font = '600 13px ' + Chart.defaults.font.family;
      const right = at + 8 + ctx.measureText(options.label).width < area.right;
      ctx.textAlign = right ? 'left' : 'right';
      ctx.fillText(options.label, right ? at + 8 : at - 8, area.top + 16);
      ctx.restore();
    },
  };

  // The spread of repeated runs, as a thin vertical bar through each point.
  const bars = {
    id: 'bars',
    beforeDatasetsDraw(chart) {
      const { ctx, scales: { y } } = chart;
      chart.data.datasets.forEach((dataset, index) => {
        if (!chart.isDatasetVisible(index)) return;
        chart.getDatasetMeta(index).data.forEach((point, i) => {
          const { y: value, spread } = dataset.data[i];
          if (!spread || !(value > spread)) return;
          ctx.save();
          ctx.strokeStyle = dataset.borderColor;
          ctx.globalAlpha = 0.6;
          ctx.beginPath();
          ctx.moveTo(point.x, y.getPixelForValue(value + spread));
          ctx.lineTo(point.x, y.getPixelForValue(value - spread));
          ctx.stroke();
          ctx.restore();
        });
      });
    },
  };

  function datasets(view) {
    return view.series.map((series, index) => ({
      label: series.name,
      data: series.points,
      borderColor: color('--s' + (index % 6)),
      backgroundColor: color('--s' + (index % 6)),
      pointStyle: shapes[index % shapes.length],
      borderWidth: 2,
      pointRadius: 4.5,
      pointHoverRadius: 7,
      tension: 0,
    }));
  }
  // A little room on both sides, so that no point lies on the frame.
  function axis(view, key, title, unit) {
    const values = view.series.flatMap((series) => series.points.filter((point) => point.y).map((point) => point[key]));
    const range = view.linear ? { type: 'linear', beginAtZero: key === 'y' }
      : { type: 'logarithmic', min: Math.min(...values) / 1.5, max: Math.max(...values) * 1.5 };
    const labels = view.linear ? { precision: key === 'x' ? 0 : undefined } : { callback: decade(unit), autoSkip: false };
    return {
      ...range,
      title: { display: true, text: title, color: color('--soft') },
      grid: { color: color('--grid'), borderColor: color('--line') },
      ticks: { color: color('--soft'), maxRotation: 0, ...labels },
    };
  }
  function options(view) {
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: 'index', intersect: false },
      scales: { x: axis(view, 'x', view.x_label, view.x_unit), y: axis(view, 'y', view.y_label, view.y_unit) },
      plugins: {
        mark: { x: view.mark_x, label: view.mark_label },
        legend: { labels: { color: color('--ink'), usePointStyle: true, boxWidth: 9, boxHeight: 7, padding: 18, font: { size: 13 } } },
        tooltip: {
          callbacks: {
            title: (items) => (items.length ? view.x_label + ': ' + items[0].parsed.x.toLocaleString('en-US') : ''),
            label: (item) => ' ' + item.dataset.label + ': ' + long(view.y_unit, item.parsed.y) +
              (item.raw.spread ? ' \u00b1 ' + long(view.y_unit, item.raw.spread) : ''),
          },
        },
      },
      onHover: (event, items) => highlight(items.length ? items[0].index : -1),
    };
  }
  const highlight = (index) => rows.forEach((row, i) => row.classList.toggle('active', i === index));

  let chart = null;
  let shown = 0;
  function show(index) {
    shown = index;
    if (chart) chart.destroy();
    chart = new Chart(canvas, {
      type: 'line',
      data: { datasets: datasets(charts[index]) },
      options: options(charts[index]),
      plugins: [mark, bars],
    });
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(i === index)));
  }

  const group = document.querySelector('.views');
  const buttons = charts.map((view, index) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = view.title;
    button.addEventListener('click', () => show(index));
    group.append(button);
    return button;
  });
  rows.forEach((row, index) => {
    row.addEventListener('mouseenter', () => {
      const active = chart.data.datasets.map((dataset, i) => ({ datasetIndex: i, index }))
        .filter((item) => chart.isDatasetVisible(item.datasetIndex) && chart.data.datasets[item.datasetIndex].data[index]);
      chart.setActiveElements(active);
      chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
      chart.update();
    });
    row.addEventListener('mouseleave', () => {
      chart.setActiveElements([]);
      chart.tooltip.setActiveElements([], { x: 0, y: 0 });
      chart.update();
    });
  });
  canvas.addEventListener('mouseleave', () => highlight(-1));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => show(shown));
  if (charts.length) show(0);
})();
