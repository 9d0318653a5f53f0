/**
 * Vehicles as oriented shapes, moved by the graphics card.
 *
 * A segment (two frames paired by number) is sent once, when it begins; each animation frame only sets how
 * far between its ends the picture is. The path between is a cubic Hermite curve whose ends lean on the
 * vehicle's heading and speed, so that a turning bus follows its curve. The reference point of a vehicle is
 * the middle of its front, as in SUMO.
 */

import { Layer, picking, project32, type DefaultProps, type LayerProps } from '@deck.gl/core';
import type { Buffer } from '@luma.gl/core';
import { Geometry, Model } from '@luma.gl/engine';
import type { Picture } from '../live/picture';
import { STRIDE } from '../live/segment';
import type { Palette, Rgba } from './palette';

const uniformBlock = /* glsl */ `\
layout(std140) uniform vehicleUniforms {
  float mixShare;
  float spanSeconds;
  float minPixels;
  float shapeShare;
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
in vec2 positions;
in vec3 instanceFrom;
in vec3 instanceTo;
in vec2 instanceSpeeds;
in vec2 instanceKind;

out vec2 vPixel;
out vec2 vHalf;
out vec4 vColor;
out float vNose;

const vec2 SIZES[9] = vec2[9](
  vec2(4.6, 1.85), vec2(8.0, 2.4), vec2(12.0, 2.5), vec2(24.0, 2.5), vec2(2.2, 0.85),
  vec2(1.7, 0.65), vec2(0.6, 0.6), vec2(6.5, 2.15), vec2(4.6, 1.85)
);

vec2 heading(float angle) { return vec2(sin(angle), cos(angle)); }

void main(void) {
  float t = vehicle.mixShare;
  int kind = int(clamp(instanceKind.x, 0.0, 8.0) + 0.5);
  vec2 size = SIZES[kind];

  float angle = instanceFrom.z + instanceTo.z * smoothstep(0.0, 1.0, t);
  vec2 chord = instanceTo.xy - instanceFrom.xy;
  float reach = 1.5 * length(chord);
  vec2 m0 = heading(instanceFrom.z) * min(instanceSpeeds.x * vehicle.spanSeconds, reach);
  vec2 m1 = heading(instanceFrom.z + instanceTo.z) * min(instanceSpeeds.y * vehicle.spanSeconds, reach);
  float t2 = t * t;
  float t3 = t2 * t;
  vec2 front = instanceFrom.xy
    + chord * (3.0 * t2 - 2.0 * t3)
    + m0 * (t3 - 2.0 * t2 + t)
    + m1 * (t3 - t2);

  float alpha = 1.0;
  if (instanceKind.y > 1.5) alpha = 1.0 - smoothstep(0.0, 0.5, t);
  else if (instanceKind.y > 0.5) alpha = smoothstep(0.4, 1.0, t);

  // from far away a vehicle is a dot of a size that can be seen; near, it has its own size
  float metresPerPixel = 1.0 / max(project_size_to_pixel(1.0), 1e-6);
  float dot = vehicle.minPixels * metresPerPixel * (kind == 2 || kind == 3 ? 1.3 : 1.0);
  vec2 drawn = mix(max(size, vec2(dot)), size, vehicle.shapeShare);
  drawn = max(drawn, size);
  vec2 half_ = drawn * 0.5;
  float pad = metresPerPixel;

  vec2 ahead = heading(angle);
  vec2 right = vec2(ahead.y, -ahead.x);
  vec2 middle = front - ahead * size.x * 0.5;
  vec2 local = positions * (half_.yx + pad);
  vec2 corner = middle + right * local.x + ahead * local.y;

  geometry.worldPosition = vec3(middle, 0.0);
  gl_Position = project_position_to_clipspace(vec3(corner, 0.0), vec3(0.0), vec3(0.0), geometry.position);
  DECKGL_FILTER_GL_POSITION(gl_Position, geometry);

  vPixel = local / metresPerPixel;
  vHalf = half_.yx / metresPerPixel;
  vNose = vehicle.shapeShare;

  float speed = mix(instanceSpeeds.x, instanceSpeeds.y, t);
  vec4 going = kind == 2 || kind == 3 ? vehicle.transit : kind == 7 ? vehicle.emergency : vehicle.moving;
  vec4 color = mix(vehicle.standing, going, smoothstep(0.3, 3.0, speed));
  vColor = vec4(color.rgb, color.a * alpha * layer.opacity);
  DECKGL_FILTER_COLOR(vColor, geometry);
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
  DECKGL_FILTER_COLOR(fragColor, geometry);
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

const unit = (colour: Rgba): [number, number, number, number] => [
  colour[0] / 255,
  colour[1] / 255,
  colour[2] / 255,
  colour[3] / 255,
];

export class VehicleLayer extends Layer<VehicleLayerOwnProps> {
  static override layerName = 'VehicleLayer';
  static override defaultProps = defaultProps;

  declare state: { model: Model; buffer: Buffer | null; version: number };

  override getShaders(): unknown {
    return super.getShaders({ vs, fs, modules: [project32, picking, vehicleUniforms] });
  }

  override initializeState(): void {
    const model = new Model(this.context.device, {
      ...(this.getShaders() as object),
      id: this.props.id,
      bufferLayout: [
        {
          name: 'vehicles',
          stepMode: 'instance',
          byteStride: STRIDE * 4,
          attributes: [
            { attribute: 'instanceFrom', format: 'float32x3', byteOffset: 0 },
            { attribute: 'instanceTo', format: 'float32x3', byteOffset: 12 },
            { attribute: 'instanceSpeeds', format: 'float32x2', byteOffset: 24 },
            { attribute: 'instanceKind', format: 'float32x2', byteOffset: 32 },
          ],
        },
      ],
      geometry: new Geometry({
        topology: 'triangle-strip',
        attributes: { positions: { size: 2, value: new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]) } },
      }),
      isInstanced: true,
    });
    this.state = { model, buffer: null, version: -1 };
  }

  override finalizeState(context: this['context']): void {
    this.state.buffer?.destroy();
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
      this.send(segment.data.subarray(0, segment.count * STRIDE));
      this.state.version = picture.version;
    }
    model.setInstanceCount(segment.count);
    model.shaderInputs.setProps({
      vehicle: {
        mixShare: picture.mix,
        spanSeconds: segment.toS - segment.fromS,
        minPixels,
        shapeShare,
        moving: unit(palette.moving),
        standing: unit(palette.standing),
        transit: unit(palette.transit),
        emergency: unit(palette.emergency),
        edge: unit(palette.vehicleEdge),
      },
    });
    model.draw(this.context.renderPass);
  }

  private send(data: Float32Array): void {
    const { model } = this.state;
    if (!this.state.buffer || this.state.buffer.byteLength < data.byteLength) {
      this.state.buffer?.destroy();
      const room = Math.max(4096, Math.ceil(data.byteLength * 1.25 / 4) * 4);
      this.state.buffer = this.context.device.createBuffer({ id: `${this.props.id}-vehicles`, byteLength: room });
      model.setAttributes({ vehicles: this.state.buffer });
    }
    this.state.buffer.write(data);
  }
}
