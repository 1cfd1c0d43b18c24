// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface ProvideRequest {
    peerRecord: Uint8Array;
    keys: Uint8Array;
    lifetimeS: number;
    traceparent: string;
}
export declare namespace ProvideRequest {
    const codec: () => Codec<ProvideRequest>;
    interface ProvideRequestPeerRecordFieldEvent {
        field: '$.peerRecord';
        value: Uint8Array;
    }
    interface ProvideRequestKeysFieldEvent {
        field: '$.keys';
        value: Uint8Array;
    }
    interface ProvideRequestLifetimeSFieldEvent {
        field: '$.lifetimeS';
        value: number;
    }
    interface ProvideRequestTraceparentFieldEvent {
        field: '$.traceparent';
        value: string;
    }
    function encode(obj: Partial<ProvideRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProvideRequest>): ProvideRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProvideRequest>): Generator<ProvideRequestPeerRecordFieldEvent | ProvideRequestKeysFieldEvent | ProvideRequestLifetimeSFieldEvent | ProvideRequestTraceparentFieldEvent>;
}
export interface ProvideResponse {
    status: number;
    verdicts: Uint8Array;
    retryAfterMs: number;
    code: string;
    message: string;
}
export declare namespace ProvideResponse {
    const codec: () => Codec<ProvideResponse>;
    interface ProvideResponseStatusFieldEvent {
        field: '$.status';
        value: number;
    }
    interface ProvideResponseVerdictsFieldEvent {
        field: '$.verdicts';
        value: Uint8Array;
    }
    interface ProvideResponseRetryAfterMsFieldEvent {
        field: '$.retryAfterMs';
        value: number;
    }
    interface ProvideResponseCodeFieldEvent {
        field: '$.code';
        value: string;
    }
    interface ProvideResponseMessageFieldEvent {
        field: '$.message';
        value: string;
    }
    function encode(obj: Partial<ProvideResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProvideResponse>): ProvideResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProvideResponse>): Generator<ProvideResponseStatusFieldEvent | ProvideResponseVerdictsFieldEvent | ProvideResponseRetryAfterMsFieldEvent | ProvideResponseCodeFieldEvent | ProvideResponseMessageFieldEvent>;
}
