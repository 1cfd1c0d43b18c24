// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface Hello {
    version: number;
    agent: string;
    features: string[];
    maxInFlight: number;
    instance: Uint8Array;
    region: string;
    traceparent: string;
}
export declare namespace Hello {
    const codec: () => Codec<Hello>;
    interface HelloVersionFieldEvent {
        field: '$.version';
        value: number;
    }
    interface HelloAgentFieldEvent {
        field: '$.agent';
        value: string;
    }
    interface HelloFeaturesFieldEvent {
        field: '$.features[]';
        index: number;
        value: string;
    }
    interface HelloMaxInFlightFieldEvent {
        field: '$.maxInFlight';
        value: number;
    }
    interface HelloInstanceFieldEvent {
        field: '$.instance';
        value: Uint8Array;
    }
    interface HelloRegionFieldEvent {
        field: '$.region';
        value: string;
    }
    interface HelloTraceparentFieldEvent {
        field: '$.traceparent';
        value: string;
    }
    function encode(obj: Partial<Hello>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Hello;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Generator<HelloVersionFieldEvent | HelloAgentFieldEvent | HelloFeaturesFieldEvent | HelloMaxInFlightFieldEvent | HelloInstanceFieldEvent | HelloRegionFieldEvent | HelloTraceparentFieldEvent>;
}
export interface Request {
    id: number;
    payload: Uint8Array;
    traceparent: string;
}
export declare namespace Request {
    const codec: () => Codec<Request>;
    interface RequestIdFieldEvent {
        field: '$.id';
        value: number;
    }
    interface RequestPayloadFieldEvent {
        field: '$.payload';
        value: Uint8Array;
    }
    interface RequestTraceparentFieldEvent {
        field: '$.traceparent';
        value: string;
    }
    function encode(obj: Partial<Request>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Request>): Request;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Request>): Generator<RequestIdFieldEvent | RequestPayloadFieldEvent | RequestTraceparentFieldEvent>;
}
export interface Response {
    id: number;
    status: number;
    payload: Uint8Array;
    code: string;
    message: string;
    retryAfterMs: number;
}
export declare namespace Response {
    const codec: () => Codec<Response>;
    interface ResponseIdFieldEvent {
        field: '$.id';
        value: number;
    }
    interface ResponseStatusFieldEvent {
        field: '$.status';
        value: number;
    }
    interface ResponsePayloadFieldEvent {
        field: '$.payload';
        value: Uint8Array;
    }
    interface ResponseCodeFieldEvent {
        field: '$.code';
        value: string;
    }
    interface ResponseMessageFieldEvent {
        field: '$.message';
        value: string;
    }
    interface ResponseRetryAfterMsFieldEvent {
        field: '$.retryAfterMs';
        value: number;
    }
    function encode(obj: Partial<Response>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Response>): Response;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Response>): Generator<ResponseIdFieldEvent | ResponseStatusFieldEvent | ResponsePayloadFieldEvent | ResponseCodeFieldEvent | ResponseMessageFieldEvent | ResponseRetryAfterMsFieldEvent>;
}
export interface Cancel {
    id: number;
}
export declare namespace Cancel {
    const codec: () => Codec<Cancel>;
    interface CancelIdFieldEvent {
        field: '$.id';
        value: number;
    }
    function encode(obj: Partial<Cancel>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Cancel>): Cancel;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Cancel>): Generator<CancelIdFieldEvent>;
}
export interface Ping {
    sequence: number;
}
export declare namespace Ping {
    const codec: () => Codec<Ping>;
    interface PingSequenceFieldEvent {
        field: '$.sequence';
        value: number;
    }
    function encode(obj: Partial<Ping>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Ping>): Ping;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Ping>): Generator<PingSequenceFieldEvent>;
}
export interface Goodbye {
    reason: number;
    message: string;
}
export declare namespace Goodbye {
    const codec: () => Codec<Goodbye>;
    interface GoodbyeReasonFieldEvent {
        field: '$.reason';
        value: number;
    }
    interface GoodbyeMessageFieldEvent {
        field: '$.message';
        value: string;
    }
    function encode(obj: Partial<Goodbye>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Goodbye>): Goodbye;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Goodbye>): Generator<GoodbyeReasonFieldEvent | GoodbyeMessageFieldEvent>;
}
