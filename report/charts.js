// The pictures of the first page, drawn again from their data so that a reader can explore them: a value with its interval
// under the pointer or by the arrow keys, a series hidden by its entry in the legend. Without scripts, and on paper, the
// pictures themselves stay.
(() => {
  "use strict";
  if (typeof Chart === "undefined") return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const NARROW = 560; // CSS pixels, below which labels stand over the ends of lines
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const colour = (series) => series.colours[dark.matches ? 1 : 0];
  const font = (weight = "normal", size = 13) => `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const short = (value) => {
    if (value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 1e5)) return `${Number(value.toPrecision(3))}`;
    const [mantissa, power] = value.toExponential().split("e");
    const raised = `${power < 0 ? "⁻" : ""}${[...String(Math.abs(power))].map((c) => SUPERSCRIPTS[c]).join("")}`;
    return mantissa === "1" ? `10${raised}` : `${mantissa}·10${raised}`;
  };

  // Intervals as whiskers, and names and numbers beside what they are of, as in the picture.
  const beside = {
    id: "beside",
    afterDatasetsDraw(chart) {
      const { ctx, chartArea: area } = chart;
      const { panel } = chart.options;
      const lines = panel.kind === "lines";
      ctx.save();
      ctx.lineWidth = 1.5;
      const ends = [];
      chart.data.datasets.forEach((dataset, i) => {
        const meta = chart.getDatasetMeta(i);
        if (!chart.isDatasetVisible(i)) return;
        ctx.strokeStyle = lines ? dataset.borderColor : css("--ink");
        dataset.data.forEach(({ point }, k) => {
          const { x, y } = meta.data[k];
          let at = x;
          if (Number.isFinite(point.low) && Number.isFinite(point.high)) {
            const scale = chart.scales[lines ? "y" : "x"];
            const clip = (v) => Math.min(Math.max(v, lines ? area.top : area.left), lines ? area.bottom : area.right);
            const start = lines ? area.bottom : area.left;
            const place = (v) => (scale.type === "logarithmic" && v <= 0 ? start : scale.getPixelForValue(v));
            const [low, high] = [point.low, point.high].map((v) => clip(place(v)));
            ctx.beginPath();
            ctx.moveTo(...(lines ? [x, low] : [low, y]));
            ctx.lineTo(...(lines ? [x, high] : [high, y]));
            ctx.stroke();
            at = Math.max(at, high);
          }
          if (!point.label) return;
          ctx.fillStyle = css("--ink");
          ctx.font = font();
          ctx.textBaseline = "middle";
          const left = panel.kind === "ratios" && point.value < 1;
          ctx.textAlign = left ? "right" : "left";
          // Above the first line, below the next, so that the words of two lines keep apart.
          const below = chart.data.datasets.indexOf(dataset) % 2;
          if (lines) ctx.fillText(point.label, x + 9, below ? y + 13 : y - 9);
          else ctx.fillText(point.label, left ? x - 7 : at + 7, y);
        });
        const [first, last] = [meta.data[0], meta.data[meta.data.length - 1]];
        if (dataset.series.label && last) ends.push({ text: dataset.series.label, tone: dataset.borderColor, first, last });
      });
      // Names stand where the lines are farther apart: at their starts, or at their ends.
      const apart = (side) => {
        const heights = ends.map((end) => end[side].y).sort((a, b) => a - b);
        return Math.min(Infinity, ...heights.slice(1).map((y, i) => y - heights[i]));
      };
      const side = apart("last") < 16 && apart("first") > apart("last") ? "first" : "last";
      const over = side === "first" || chart.width < NARROW;
      ctx.font = font("bold");
      ctx.textBaseline = "middle";
      ctx.textAlign = side === "first" || !over ? "left" : "right";
      ctx.lineWidth = 4;
      ctx.lineJoin = "round";
      ctx.strokeStyle = css("--paper");
      ends.sort((a, b) => a[side].y - b[side].y);
      let free = -Infinity;
      ends.forEach((end) => {
        const at = end[side];
        const y = Math.max(over ? at.y - 14 : at.y, free);
        const x = side === "first" ? at.x - 4 : over ? Math.min(at.x + 4, area.right) : at.x + 9;
        free = y + 16;
        ctx.strokeText(end.text, x, y);
        ctx.fillStyle = end.tone;
        ctx.fillText(end.text, x, y);
      });
      if (panel.limit) {
        const y = chart.scales.y.getPixelForValue(panel.limit[0]);
        ctx.strokeStyle = css("--soft");
        ctx.lineWidth = 1;
        ctx.beginPath();
        ctx.moveTo(area.left, y);
        ctx.lineTo(area.right, y);
        ctx.stroke();
        ctx.font = font();
        ctx.fillStyle = css("--ink");
        ctx.textAlign = "right";
        ctx.textBaseline = "top";
        ctx.fillText(panel.limit[1], area.right - 4, y + 4);
      }
      ctx.restore();
    },
  };

  const width = (texts, weight) => {
    const ctx = make("canvas").getContext("2d");
    ctx.font = font(weight);
    return Math.max(0, ...texts.map((text) => ctx.measureText(text).width));
  };
  const scale = (panel, axis, ticks) => {
    const log = panel.log.includes(axis);
    // The axis of the values reaches to the ends of their intervals.
    const ends =
      axis === (panel.kind === "lines" ? "y" : "x")
        ? panel.series
            .flatMap((s) => s.points.flatMap((p) => [p.low, p.high]))
            .filter((v) => Number.isFinite(v) && (!log || v > 0))
        : [];
    const round = (value, axes) => {
      const [mantissa] = value.toExponential().split("e");
      return mantissa === "1" || (axes.max / axes.min < 300 && (mantissa === "2" || mantissa === "5"));
    };
    return {
      type: log ? "logarithmic" : "linear",
      beginAtZero: !log && (axis === "y" || panel.kind !== "lines"),
      ...(ends.length ? { suggestedMax: Math.max(...ends) } : {}),
      ...(ends.length && log ? { suggestedMin: Math.min(...ends) } : {}),
      title: { display: Boolean(panel[axis]), text: panel[axis], color: css("--soft") },
      grid: { color: css("--line") },
      ticks: {
        color: css("--soft"),
        maxRotation: 0,
        callback(value) {
          return ticks || !log || round(value, this) ? short(value) : null;
        },
      },
      ...(ticks ? { afterBuildTicks: (axes) => (axes.ticks = ticks.map((value) => ({ value }))) } : {}),
    };
  };

  const linesOf = (panel) => {
    const places = [...new Set(panel.series.flatMap((s) => s.points.map((p) => p.x)))].sort((a, b) => a - b);
    const few = panel.log.includes("x") && panel.series.length > 1 && places.length <= 8;
    const texts = panel.series.map((s) => s.label);
    const own = panel.series.flatMap((s) => s.points.map((p) => p.label));
    return {
      type: "line",
      data: {
        datasets: panel.series.map((series) => ({
          series,
          label: series.name,
          data: series.points.map((point) => ({ x: point.x, y: point.value, point })),
          borderColor: colour(series),
          backgroundColor: colour(series),
          pointRadius: 5,
          pointHoverRadius: 8,
          pointHitRadius: 14,
        })),
      },
      options: {
        scales: { x: scale(panel, "x", few ? places : null), y: scale(panel, "y") },
        layout: (context) => {
          const wide = context.chart.width >= NARROW;
          const right = wide ? width(texts, "bold") + 14 : 6;
          return { padding: { top: 18, right: Math.max(right, width(own)) } };
        },
      },
    };
  };

  // Room for the numbers, which stand beyond the ends of the bars.
  const ratioEnds = (panel) => {
    const values = panel.series.flatMap((s) => s.points.map((p) => p.value));
    return { min: Math.min(0.4, Math.min(...values) / 12), max: Math.max(2.5, 3 * Math.max(...values)) };
  };

  // The names of bars, the smallest first. Each bar that a chart holds has its name here: Chart.js appends what it misses.
  const names = (bars) => [...bars].sort((a, b) => a.x - b.x).map((bar) => bar.y);
  // Bars that are hidden leave no empty row.
  const order = (chart) => {
    if (chart.options.panel.kind === "lines") return;
    chart.data.datasets.forEach((dataset, i) => (dataset.data = chart.isDatasetVisible(i) ? dataset.bars : []));
    chart.data.labels = names(chart.data.datasets.flatMap((dataset) => dataset.data));
  };

  const barsOf = (panel) => {
    const from = panel.kind === "ratios" ? 1 : 0;
    const numbers = panel.series.flatMap((s) => s.points.map((p) => p.label));
    const beyond = width(numbers) + 10;
    const bars = (series) => series.points.map((point) => ({ x: point.value, y: point.at, point }));
    const datasets = panel.series.map((series) => ({ series, bars: bars(series) }));
    return {
      type: "bar",
      data: {
        labels: names(datasets.flatMap((dataset) => dataset.bars)),
        datasets: datasets.map((dataset) => ({
          ...dataset,
          label: dataset.series.name,
          data: dataset.bars,
          borderColor: colour(dataset.series),
          backgroundColor: colour(dataset.series),
          base: from,
          barThickness: 18,
          grouped: false,
        })),
      },
      options: {
        indexAxis: "y",
        scales: {
          x: { ...scale(panel, "x"), ...(panel.kind === "ratios" ? ratioEnds(panel) : { display: false }) },
          y: {
            grid: { display: false },
            border: { display: false },
            ticks: {
              color: css("--ink"),
              autoSkip: false,
              font: { size: 13 },
              callback(index) {
                const [chart, text] = [this.chart, this.getLabelForValue(index)];
                return text.includes("\n") ? text.split("\n") : chart.width < NARROW ? text.split(", ").map((t, i, all) => (i < all.length - 1 ? `${t},` : t)) : text;
              },
            },
          },
        },
        layout: { padding: { right: beyond, left: panel.kind === "ratios" ? 4 : 0 } },
      },
    };
  };

  const say = (point) => `${point.at.replace(/\n/g, " ")}: ${point.said}`;
  const visible = (chart) =>
    chart.data.datasets.flatMap((dataset, datasetIndex) =>
      chart.isDatasetVisible(datasetIndex) ? dataset.data.map((_, index) => ({ datasetIndex, index })) : [],
    );
  const point = (chart, { datasetIndex, index }) => chart.data.datasets[datasetIndex].data[index].point;

  const walk = (canvas, chart, said) => {
    let at = -1;
    canvas.addEventListener("keydown", (event) => {
      const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const all = visible(chart);
      if (!way || !all.length) return;
      event.preventDefault();
      at = (at + way + (at < 0 && way < 0 ? 1 : 0) + all.length) % all.length;
      const { x, y } = chart.getDatasetMeta(all[at].datasetIndex).data[all[at].index];
      chart.setActiveElements([all[at]]);
      chart.tooltip.setActiveElements([all[at]], { x, y });
      chart.update("none");
      said.textContent = `${chart.data.datasets[all[at].datasetIndex].label}, ${say(point(chart, all[at]))}`;
    });
    canvas.addEventListener("blur", () => {
      at = -1;
      chart.setActiveElements([]);
      chart.tooltip.setActiveElements([], { x: 0, y: 0 });
      chart.update("none");
      said.textContent = "";
    });
  };

  const legend = (panel, chart) => {
    const list = make("div", { className: "legend" });
    panel.series.forEach((series, i) => {
      const mark = make("span", { className: "mark" });
      mark.style.background = colour(series);
      const button = make("button", { type: "button", title: "show or hide" }, mark, series.name);
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        const show = !chart.isDatasetVisible(i);
        chart.setDatasetVisibility(i, show);
        button.setAttribute("aria-pressed", String(show));
        order(chart);
        chart.update();
      });
      list.append(button);
    });
    return list;
  };

  const draw = (panel, alt) => {
    const canvas = make("canvas", { tabIndex: 0 });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${panel.title}. ${alt} The arrow keys go from value to value.`);
    const said = make("output", { className: "said" });
    said.setAttribute("aria-live", "polite");
    const bars = panel.series.reduce((n, s) => n + s.points.length, 0);
    const box = make("div", { className: "canvas" }, canvas);
    box.style.height = panel.kind === "lines" ? "260px" : `${34 * bars + (panel.kind === "ratios" ? 60 : 24)}px`;
    const kind = panel.kind === "lines" ? linesOf(panel) : barsOf(panel);
    const parts = [make("p", { className: "paneltitle", textContent: panel.title }), box, said];
    const holder = make("div", { className: "panel" }, ...parts);
    return { holder, parts, start: () => start(canvas, kind, panel, said, holder) };
  };

  const start = (canvas, kind, panel, said, holder) => {
    const chart = new Chart(canvas, {
      ...kind,
      plugins: [beside],
      options: {
        ...kind.options,
        panel,
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "nearest", intersect: true },
        plugins: {
          legend: { display: false },
          tooltip: {
            displayColors: false,
            titleFont: { size: 13 },
            bodyFont: { size: 13 },
            callbacks: {
              title: (items) => items.map((item) => item.dataset.label),
              label: (item) => say(item.raw.point),
            },
          },
        },
      },
    });
    walk(canvas, chart, said);
    if (panel.series.length > 1) holder.insertBefore(legend(panel, chart), holder.children[1]);
    return chart;
  };

  let charts = [];
  const explore = (script) => {
    const answer = script.closest(".answer");
    const picture = answer && answer.querySelector("img");
    if (!picture) return;
    const { title, alt, panels } = JSON.parse(script.textContent);
    const drawn = panels.map((panel) => draw(panel, alt));
    const whole = make("div", { className: "explore" }, make("p", { className: "message", textContent: title }));
    whole.append(...drawn.map((d) => d.holder));
    script.before(whole);
    answer.classList.add("explored");
    charts.push(...drawn.map((d) => d.start()));
  };
  const all = () => document.querySelectorAll("script.chart").forEach(explore);
  all();
  dark.addEventListener("change", () => {
    charts.forEach((chart) => chart.destroy());
    charts = [];
    document.querySelectorAll(".explore").forEach((whole) => whole.remove());
    all();
  });
})();
