/**
 * Vehicles as oriented shapes, moved by the graphics card.
 *
 * A segment (two frames paired by number) is sent once, when it begins; each animation frame only sets how
 * far between its ends the picture is. The path between is a cubic Hermite curve whose ends lean on the
 * vehicle's heading and speed, so that a turning bus follows its curve. The reference point of a vehicle is
 * the middle of its front, as in SUMO.
 *
 * Vehicles lie in a texture, and four corners each are drawn from nothing but their number: instances of four
 * corners cost several times as much, and so does deck.gl's own projection, done anew for each corner; here it
 * is a curve of second order, fitted to deck.gl's once a picture (docs/decisions/control-room-speed.md).
 */

import { Layer, type DefaultProps, type LayerProps } from '@deck.gl/core';
import { Buffer, type Texture } from '@luma.gl/core';
import { Model } from '@luma.gl/engine';
import type { Picture } from '../live/picture';
import { ROW_VEHICLES, STRIDE } from '../live/segment';
import type { Palette, Rgba } from './palette';

const uniformBlock = /* glsl */ `\
layout(std140) uniform vehicleUniforms {
  float mixShare;
  float spanSeconds;
  float minPixels;
  float shapeShare;
  float metresPerPixel;
  float opacity;
  vec4 slope;
  vec4 bend;
  vec4 rest;
  vec4 moving;
  vec4 standing;
  vec4 transit;
  vec4 emergency;
  vec4 edge;
} vehicle;
`;

const vehicleUniforms = {
  name: 'vehicle',
  vs: uniformBlock,
  fs: uniformBlock,
  uniformTypes: {
    mixShare: 'f32',
    spanSeconds: 'f32',
    minPixels: 'f32',
    shapeShare: 'f32',
    metresPerPixel: 'f32',
    opacity: 'f32',
    slope: 'vec4<f32>',
    bend: 'vec4<f32>',
    rest: 'vec4<f32>',
    moving: 'vec4<f32>',
    standing: 'vec4<f32>',
    transit: 'vec4<f32>',
    emergency: 'vec4<f32>',
    edge: 'vec4<f32>',
  },
} as const;

// length and width in metres of each VehicleClass: car, truck, bus, tram, motorcycle, bicycle, pedestrian,
// emergency, other (SUMO's defaults of the classes, rounded)
const vs = /* glsl */ `\
#version 300 es
#define SHADER_NAME vehicle-layer-vertex
uniform highp sampler2D vehicleTexture;

out vec2 vPixel;
out vec2 vHalf;
out vec4 vColor;
out float vNose;

const int ROW = ${ROW_VEHICLES};
const vec2 SIZES[9] = vec2[9](
  vec2(4.6, 1.85), vec2(8.0, 2.4), vec2(12.0, 2.5), vec2(24.0, 2.5), vec2(2.2, 0.85),
  vec2(1.7, 0.65), vec2(0.6, 0.6), vec2(6.5, 2.15), vec2(4.6, 1.85)
);

const vec2 CORNERS[4] = vec2[4](vec2(-1.0, -1.0), vec2(1.0, -1.0), vec2(-1.0, 1.0), vec2(1.0, 1.0));

vec2 heading(float angle) { return vec2(sin(angle), cos(angle)); }

void main(void) {
  int row = gl_VertexID / 4;
  ivec2 texel = ivec2(row % ROW * 3, row / ROW);
  vec4 a = texelFetch(vehicleTexture, texel, 0);
  vec4 b = texelFetch(vehicleTexture, texel + ivec2(1, 0), 0);
  vec4 c = texelFetch(vehicleTexture, texel + ivec2(2, 0), 0);
  vec2 corner = CORNERS[gl_VertexID % 4];
  vec3 from = a.xyz;
  vec3 to = vec3(a.w, b.xy);
  vec2 speeds = b.zw;
  vec2 what = c.xy;

  float t = vehicle.mixShare;
  int kind = int(clamp(what.x, 0.0, 8.0) + 0.5);
  vec2 size = SIZES[kind];

  float angle = from.z + to.z * smoothstep(0.0, 1.0, t);
  vec2 chord = to.xy - from.xy;
  float reach = 1.5 * length(chord);
  vec2 m0 = heading(from.z) * min(speeds.x * vehicle.spanSeconds, reach);
  vec2 m1 = heading(from.z + to.z) * min(speeds.y * vehicle.spanSeconds, reach);
  float t2 = t * t;
  float t3 = t2 * t;
  vec2 front = from.xy
    + chord * (3.0 * t2 - 2.0 * t3)
    + m0 * (t3 - 2.0 * t2 + t)
    + m1 * (t3 - t2);

  float alpha = 1.0;
  if (what.y > 1.5) alpha = 1.0 - smoothstep(0.0, 0.5, t);
  else if (what.y > 0.5) alpha = smoothstep(0.4, 1.0, t);

  // from far away a vehicle is a dot of a size that can be seen; near, it has its own size
  float metresPerPixel = vehicle.metresPerPixel;
  float dot = vehicle.minPixels * metresPerPixel * (kind == 2 || kind == 3 ? 1.3 : 1.0);
  vec2 drawn = mix(max(size, vec2(dot)), size, vehicle.shapeShare);
  drawn = max(drawn, size);
  vec2 half_ = drawn * 0.5;
  float pad = metresPerPixel;

  vec2 ahead = heading(angle);
  vec2 right = vec2(ahead.y, -ahead.x);
  vec2 middle = front - ahead * size.x * 0.5;
  vec2 local = corner * (half_.yx + pad);
  vec2 place = middle + right * local.x + ahead * local.y;

  gl_Position = vec4(
    vehicle.rest.zw + vehicle.slope.xy * place.x + vehicle.slope.zw * place.y
      + vehicle.bend.xy * (place.x * place.x) + vehicle.bend.zw * (place.x * place.y) + vehicle.rest.xy * (place.y * place.y),
    0.0, 1.0);

  vPixel = local / metresPerPixel;
  vHalf = half_.yx / metresPerPixel;
  vNose = vehicle.shapeShare;

  float speed = mix(speeds.x, speeds.y, t);
  vec4 going = kind == 2 || kind == 3 ? vehicle.transit : kind == 7 ? vehicle.emergency : vehicle.moving;
  vec4 color = mix(vehicle.standing, going, smoothstep(0.3, 3.0, speed));
  vColor = vec4(color.rgb, color.a * alpha * vehicle.opacity);
}
`;

const fs = /* glsl */ `\
#version 300 es
#define SHADER_NAME vehicle-layer-fragment
precision highp float;
in vec2 vPixel;
in vec2 vHalf;
in vec4 vColor;
in float vNose;
out vec4 fragColor;

void main(void) {
  // signed distance to a rectangle with round corners, in pixels; the front is rounder than the back
  float small = min(vHalf.x, vHalf.y);
  float radius = mix(small, small * (vPixel.y > 0.0 ? 0.75 : 0.35), vNose);
  vec2 q = abs(vPixel) - vHalf + radius;
  float distance_ = min(max(q.x, q.y), 0.0) + length(max(q, 0.0)) - radius;
  float cover = 1.0 - smoothstep(-0.5, 0.6, distance_);
  if (cover <= 0.003) discard;
  // a thin edge keeps neighbours in a queue apart
  float rim = smoothstep(-1.5, -0.6, distance_) * smoothstep(1.6, 3.0, small);
  fragColor = vec4(mix(vColor.rgb, vehicle.edge.rgb, rim * 0.55), vColor.a * cover);
}
`;

interface VehicleLayerOwnProps {
  picture: Picture | null;
  palette: Palette | null;
  /** Smallest size of a vehicle seen from far away, pixels. */
  minPixels: number;
  /** 0: dots, 1: shapes. */
  shapeShare: number;
}

export type VehicleLayerProps = VehicleLayerOwnProps & LayerProps;

const defaultProps: DefaultProps<VehicleLayerProps> = {
  picture: { type: 'object', value: null, compare: false },
  palette: { type: 'object', value: null },
  minPixels: { type: 'number', value: 5 },
  shapeShare: { type: 'number', value: 0 },
};

/** How far from the city's centre its projection is looked at, metres. */
const FIT_M = 5000;
/** Two triangles of the four corners. */
const TRIANGLES = [0, 1, 2, 2, 1, 3];

const unit = (colour: Rgba): [number, number, number, number] => [
  colour[0] / 255,
  colour[1] / 255,
  colour[2] / 255,
  colour[3] / 255,
];

export class VehicleLayer extends Layer<VehicleLayerOwnProps> {
  static override layerName = 'VehicleLayer';
  static override defaultProps = defaultProps;

  declare state: { model: Model; texture: Texture | null; corners: Buffer | null; version: number };

  override getShaders(): unknown {
    return super.getShaders({ vs, fs, modules: [vehicleUniforms] });
  }

  override initializeState(): void {
    const model = new Model(this.context.device, {
      ...(this.getShaders() as object),
      id: this.props.id,
      topology: 'triangle-list',
      vertexCount: 0,
    });
    this.state = { model, texture: null, corners: null, version: -1 };
  }

  override finalizeState(context: this['context']): void {
    this.state.texture?.destroy();
    this.state.corners?.destroy();
    super.finalizeState(context);
  }

  override getNumInstances(): number {
    return this.props.picture?.segment?.count ?? 0;
  }

  override draw(): void {
    const { picture, palette, minPixels, shapeShare } = this.props;
    const segment = picture?.segment;
    if (!picture || !palette || !segment || segment.count === 0) return;
    const { model } = this.state;
    if (this.state.version !== picture.version) {
      this.send(segment.data, Math.ceil(segment.count / ROW_VEHICLES));
      this.state.version = picture.version;
    }
    model.setVertexCount(6 * segment.count);
    model.shaderInputs.setProps({
      vehicle: {
        mixShare: picture.mix,
        spanSeconds: segment.toS - segment.fromS,
        minPixels,
        shapeShare,
        opacity: this.props.opacity,
        ...this.place(),
        moving: unit(palette.moving),
        standing: unit(palette.standing),
        transit: unit(palette.transit),
        emergency: unit(palette.emergency),
        edge: unit(palette.vehicleEdge),
      },
    });
    model.draw(this.context.renderPass);
  }

  /** Metres to clip space: o + x·a + y·b + x²·c + xy·d + y²·e, through six points that deck.gl projects. */
  private place(): { metresPerPixel: number; slope: number[]; bend: number[]; rest: number[] } {
    const { width, height } = this.context.viewport;
    const clip = (x: number, y: number): [number, number] => {
      const [px, py] = this.project([x, y, 0]);
      return [(2 * px) / width - 1, 1 - (2 * py) / height];
    };
    const l = FIT_M;
    const [o, right, left, up, down, both] = [clip(0, 0), clip(l, 0), clip(-l, 0), clip(0, l), clip(0, -l), clip(l, l)];
    const fit = (k: 0 | 1): number[] => {
      const a = (right[k] - left[k]) / (2 * l);
      const b = (up[k] - down[k]) / (2 * l);
      const c = (right[k] + left[k] - 2 * o[k]) / (2 * l * l);
      const e = (up[k] + down[k] - 2 * o[k]) / (2 * l * l);
      return [a, b, c, (both[k] - o[k]) / (l * l) - (a + b) / l - c - e, e];
    };
    const [x, y] = [fit(0), fit(1)];
    return {
      metresPerPixel: 2 / Math.hypot(x[0] * width, y[0] * height),
      slope: [x[0], y[0], x[1], y[1]],
      bend: [x[2], y[2], x[3], y[3]],
      rest: [x[4], y[4], o[0], o[1]],
    };
  }

  /** The first rows of data, to the graphics card. */
  private send(data: Float32Array, rows: number): void {
    const { model, texture } = this.state;
    let room = texture;
    if (!room || room.height < rows) {
      room?.destroy();
      room = this.context.device.createTexture({
        id: `${this.props.id}-texture`,
        format: 'rgba32float',
        width: (ROW_VEHICLES * STRIDE) / 4,
        height: Math.ceil(rows * 1.25),
        sampler: { minFilter: 'nearest', magFilter: 'nearest' },
      });
      model.setBindings({ vehicleTexture: room });
      this.state.texture = room;
      this.state.corners?.destroy();
      const corners = new Uint32Array(6 * ROW_VEHICLES * room.height);
      for (let k = 0; k < corners.length / 6; k++) TRIANGLES.forEach((corner, j) => (corners[6 * k + j] = 4 * k + corner));
      this.state.corners = this.context.device.createBuffer({ usage: Buffer.INDEX, indexType: 'uint32', data: corners });
      model.setIndexBuffer(this.state.corners);
    }
    room.writeData(data.subarray(0, rows * ROW_VEHICLES * STRIDE), { width: room.width, height: rows });
  }
}
