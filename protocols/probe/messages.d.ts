// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface ProbeRequest {
    peers: Uint8Array[];
}
export declare namespace ProbeRequest {
    const codec: () => Codec<ProbeRequest>;
    interface ProbeRequestPeersFieldEvent {
        field: '$.peers[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<ProbeRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProbeRequest>): ProbeRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProbeRequest>): Generator<ProbeRequestPeersFieldEvent>;
}
export interface ProbeResponse {
    answers: ProbeAnswer[];
}
export declare namespace ProbeResponse {
    const codec: () => Codec<ProbeResponse>;
    interface ProbeResponseAnswersVerdictFieldEvent {
        field: '$.answers[].verdict';
        value: number;
        index: number;
    }
    interface ProbeResponseAnswersRoundTripMsFieldEvent {
        field: '$.answers[].roundTripMs';
        value: number;
        index: number;
    }
    function encode(obj: Partial<ProbeResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProbeResponse>): ProbeResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProbeResponse>): Generator<ProbeResponseAnswersVerdictFieldEvent | ProbeResponseAnswersRoundTripMsFieldEvent>;
}
export interface ProbeAnswer {
    verdict: number;
    roundTripMs: number;
}
export declare namespace ProbeAnswer {
    const codec: () => Codec<ProbeAnswer>;
    interface ProbeAnswerVerdictFieldEvent {
        field: '$.verdict';
        value: number;
    }
    interface ProbeAnswerRoundTripMsFieldEvent {
        field: '$.roundTripMs';
        value: number;
    }
    function encode(obj: Partial<ProbeAnswer>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProbeAnswer>): ProbeAnswer;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProbeAnswer>): Generator<ProbeAnswerVerdictFieldEvent | ProbeAnswerRoundTripMsFieldEvent>;
}
