// Marks of the map beside the numbered pins: what they stand for, and where they have room.

/* global L */

const DOT = 24;
const TOWN = 22;

function clusterRadius(count) {
  return count < 10 ? 15 : count < 100 ? 18 : count < 1000 ? 22 : 27;
}

/**
 * Keeps marks from covering one another: marks that would touch become one cluster, and those that would
 * touch a numbered pin step aside. Counts stay exact. `hidden` marks are left out.
 */
export function separate(marks, fixed, hidden) {
  const placed = [];
  for (const mark of [...marks].sort((a, b) => b.count - a.count)) {
    const touching = placed.find((other) => other.point.distanceTo(mark.point) < other.radius + mark.radius + 2);
    if (touching) {
      Object.assign(touching, {
        cluster: true,
        count: touching.count + mark.count,
        bounds: L.latLngBounds(touching.bounds.getSouthWest(), touching.bounds.getNorthEast()).extend(mark.bounds),
      });
      touching.radius = clusterRadius(touching.count);
    } else {
      placed.push({ ...mark });
    }
  }
  const done = [];
  for (const mark of placed) {
    const obstacles = [...fixed, ...done];
    const free = (point) => obstacles.every((other) => other.point.distanceTo(point) >= other.radius + mark.radius + 1);
    for (let ring = 0; ring < 6 && !free(mark.point); ring += 1) {
      const spots = Array.from({ length: 12 }, (_, turn) => {
        const angle = (turn * Math.PI) / 6;
        return L.point(Math.cos(angle), Math.sin(angle)).multiplyBy((ring + 1) * 12).add(mark.point);
      });
      mark.point = spots.find(free) ?? mark.point;
    }
    if (free(mark.point) && !hidden(mark)) {
      done.push(mark);
    }
  }
  return done;
}

/** Reads the marks of an answer of the server, less the sites that have a numbered pin: `list` and `shown`. */
export function marksOf(map, features, list, shown) {
  const marks = [];
  const listed = [...list.querySelectorAll(".result[data-lat]:not([data-approximate])")].map((card) => [
    Number(card.dataset.lon),
    Number(card.dataset.lat),
  ]);
  for (const feature of features) {
    const { kind, label, sites, bounds } = feature.properties;
    const [lon, lat] = feature.geometry.coordinates;
    let { count } = feature.properties;
    if (kind === "cluster" && bounds) {
      // Cells do not overlap: what has a numbered pin inside the bounds of a cluster is one of its members.
      const [west, south, east, north] = bounds;
      count -= listed.filter(([x, y]) => x >= west && x <= east && y >= south && y <= north).length;
      if (count <= 0) {
        continue;
      }
    }
    if (kind !== "cluster" && count <= sites.length && sites.every((site) => shown.has(site.id))) {
      continue;
    }
    const cluster = kind === "cluster";
    marks.push({
      point: map.project([lat, lon]),
      radius: cluster ? clusterRadius(count) : kind === "town" ? TOWN : DOT / 2,
      cluster,
      others: cluster && count !== feature.properties.count,
      town: kind === "town",
      count,
      label,
      sites,
      bounds: bounds ? L.latLngBounds([bounds[1], bounds[0]], [bounds[3], bounds[2]]) : L.latLngBounds([[lat, lon]]),
    });
  }
  return marks;
}
